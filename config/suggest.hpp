#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sidevoice {

/// The candidate that `word` was probably meant to be: at most a third of its letters are changed,
/// missing, too many or swapped. Empty where none is near.
std::string closest(std::string_view word, const std::vector<std::string>& candidates);

/// `did you mean "address"?`, or `write one of: text, date` where none is near.
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates);

/// "text, date, choice".
std::string listed(const std::vector<std::string>& words);

} // namespace sidevoice
