#pragma once

#include "providers/vad.hpp"

#include <memory>

namespace sidevoice {

/// Voice activity by loudness alone, where Silero's file is missing: speech is what stands well
/// above the quietest moments of the last three seconds. It takes other sounds for speech; its
/// probability rises within two frames and falls within some eight, so that pauses between words
/// do not cut.
std::unique_ptr<vad_engine> make_energy_gate();

} // namespace sidevoice
