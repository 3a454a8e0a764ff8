#pragma once

#include "providers/rules/understand.hpp"

#include <string>
#include <vector>

namespace sidevoice::rules {

/// Says briefly what the visitor's fresh messages have changed; empty where there is nothing to
/// say.
std::string acknowledgement(const board& now, const std::vector<const message_reading*>& fresh,
                            std::uint64_t seed, std::string_view said);

/// All that is known, one sentence.
std::string summary(const board& now);

/// What is still open, one sentence.
std::string what_is_left(const board& now);

} // namespace sidevoice::rules
