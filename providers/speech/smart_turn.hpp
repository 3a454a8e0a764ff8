#pragma once

#include "config/counters.hpp"
#include "config/loop.hpp"
#include "config/result.hpp"
#include "providers/end_of_turn.hpp"
#include "providers/speech/onnx_runtime.hpp"

#include <memory>
#include <string>

namespace sidevoice {

/// Questions of an app that wait while one is answered; more are refused.
inline constexpr std::size_t smart_turn_queue = 8;

/// Loads smart-turn v3.2 (`smart-turn-v3.2-cpu.onnx`) and starts the thread that runs it, some
/// 50 ms a question; takes half a second. `where` and `count` outlive it. Destroying it waits for
/// the question that is being answered; those that wait get `unavailable`, reason "stopped".
/// Errors: `not_found`, reason "no_model"; `damaged`, reason "damaged_model".
result<std::unique_ptr<end_of_turn_model>> load_smart_turn(const std::string& model,
                                                           std::shared_ptr<onnx_runtime> runtime,
                                                           loop& where, counters& count);

} // namespace sidevoice
