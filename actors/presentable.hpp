#pragma once

#include <cstddef>
#include <string>

namespace sidevoice {

/// Text as a model may read it: valid UTF-8 without NUL, cut at `bytes_max` with a word about it.
std::string presentable(std::string text, std::size_t bytes_max);

} // namespace sidevoice
