#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace sidevoice {

/// A file of the test's own, empty at first; gone with it.
class temporary_file {
public:
  temporary_file()
      : path_((std::filesystem::temp_directory_path() / "sidevoice-test-XXXXXX").string()) {
    const auto opened = mkstemp(path_.data());
    if (opened < 0)
      std::abort();
    close(opened);
  }
  temporary_file(const temporary_file&) = delete;
  temporary_file& operator=(const temporary_file&) = delete;
  ~temporary_file() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }

  [[nodiscard]] const std::string& path() const {
    return path_;
  }

  void write(const std::string& bytes) const {
    std::ofstream{path_, std::ios::binary | std::ios::trunc} << bytes;
  }

private:
  std::string path_;
};

} // namespace sidevoice
