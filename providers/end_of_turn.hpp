#pragma once

#include "config/result.hpp"
#include "providers/sound.hpp"

#include <functional>
#include <string>

namespace sidevoice {

/// Tells from the sound whether a speaker has finished. Asked once per pause.
class end_of_turn_model {
public:
  virtual ~end_of_turn_model() = default;

  using sink = std::function<void(result<float>)>;

  /// The probability that the turn is over, from the newest 8 s of speech at 16 kHz. Apps are
  /// served by turns. The sink is called once, on the loop, never from inside `ask`. Error
  /// `overloaded` where the app's part of the queue is full. Any thread; never blocks.
  virtual void ask(const std::string& app, samples speech, sink to) = 0;
};

} // namespace sidevoice
