#pragma once

#include "config/result.hpp"

#include <filesystem>
#include <string>

namespace sidevoice {

/// The bytes of a plain file of at most `bytes_max`. Errors: `not_found` where there is none,
/// `invalid` for a folder or device, and where it is too large.
result<std::string> read_text_file(const std::filesystem::path& path, std::size_t bytes_max);

} // namespace sidevoice
