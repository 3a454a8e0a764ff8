#pragma once

#include "config/result.hpp"
#include "providers/speech/decoder.hpp"

#include <string>

namespace sidevoice {

/// Loads Whisper tiny.en (`file`, ggml format). The decoders of the factory share its weights and
/// keep them alive; each has 40 MiB of its own. Errors: `unavailable`, reason "no_model": the file
/// is missing; "no_engine": this program was built without whisper.cpp, or the processor lacks
/// AVX2; `damaged`, reason "damaged_model", for every file but the one that scripts/models.sh
/// makes.
result<decoder_factory> load_whisper(const std::string& file);

} // namespace sidevoice
