#pragma once

#include "config/result.hpp"

#include <filesystem>

namespace sidevoice {

/// A data folder that this process alone may write; the lock goes with the object (and with the
/// process, however it ends).
class data_folder {
public:
  /// Makes the folder with mode 0700 (an existing one is narrowed to it) and locks it. Errors:
  /// `conflict` (another process holds it), `full`, `unavailable`.
  static result<data_folder> hold(const std::filesystem::path& folder);

  data_folder(data_folder&& other) noexcept;
  data_folder& operator=(data_folder&& other) noexcept;
  ~data_folder();

  [[nodiscard]] std::filesystem::path database() const;

  /// The database of a folder that somebody else may hold.
  static std::filesystem::path database_in(const std::filesystem::path& folder);

private:
  data_folder(std::filesystem::path folder, int lock);

  std::filesystem::path folder_;
  int lock_ = -1;
};

} // namespace sidevoice
