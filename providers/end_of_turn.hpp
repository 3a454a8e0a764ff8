#pragma once

#include "config/result.hpp"
#include "providers/sound.hpp"

#include <functional>

namespace sidevoice {

/// Tells from the sound whether a speaker has finished. Asked once per pause.
class end_of_turn_model {
public:
  virtual ~end_of_turn_model() = default;

  using sink = std::function<void(result<float>)>;

  /// The probability that the turn is over, from the newest 8 s of speech at 16 kHz. The sink is
  /// called once, on the loop, never from inside `ask`. Error `overloaded` where its queue is full.
  /// Any thread; never blocks.
  virtual void ask(samples speech, sink to) = 0;
};

} // namespace sidevoice
