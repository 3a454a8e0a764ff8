#pragma once

#include <string>
#include <string_view>

namespace sidevoice {

/// The words in what a recogniser wrote: without descriptions of noises such as "[BLANK_AUDIO]",
/// "(coughing)", "*sighs*" and music notes, with single spaces. Empty where no letter or digit is
/// left. Always valid UTF-8 without control characters.
std::string heard_text(std::string_view written);

} // namespace sidevoice
