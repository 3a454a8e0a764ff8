#pragma once

#include "config/app_file.hpp"

#include <filesystem>
#include <map>
#include <string>

namespace sidevoice::test {

/// A folder of its own for one test; gone at its end.
class temporary_folder {
public:
  temporary_folder();
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  ~temporary_folder();

  /// Writes a file below the folder and returns its path.
  std::string write(const std::string& name, const std::string& text) const;

  [[nodiscard]] const std::filesystem::path& path() const {
    return path_;
  }

private:
  std::filesystem::path path_;
};

/// An environment with these variables and no others.
environment variables(std::map<std::string, std::string> values = {});

/// Loads a text as apps/x/app.jsonc would be.
app_load load_text(const std::string& text, const app_load_options& options = {"dev", variables()});

/// An app whose line 2 is `members`.
std::string with(const std::string& members);

/// An app whose only topics are `topics`, from line 2 on.
std::string with_topics(const std::string& topics);

/// All faults, a line each.
std::string listing(const std::vector<app_fault>& faults);

} // namespace sidevoice::test
