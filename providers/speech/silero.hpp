#pragma once

#include "config/result.hpp"
#include "providers/vad.hpp"

#include <memory>
#include <string>

namespace sidevoice {

/// Loads Silero's network from the published file (`silero_vad_16k_op15.onnx`). A load takes some
/// 10 ms. Errors, whose detail says what to do: `not_found`, reason "no_model"; `damaged`, reason
/// "damaged_model", for every file but the one whose weights this build was tested with.
result<std::unique_ptr<vad_engine>> load_silero(const std::string& path);

} // namespace sidevoice
