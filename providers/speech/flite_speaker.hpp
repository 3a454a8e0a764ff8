#pragma once

#include "providers/speech/speaker.hpp"

#include <string>
#include <vector>

namespace sidevoice {

/// The voices of flite that this program carries; the first is the default.
const std::vector<std::string>& flite_voices();

/// Speakers share nothing but flite's constant tables.
speaker_factory make_flite();

} // namespace sidevoice
