#pragma once

#include "providers/sound.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>

/// Sound that waits, in pieces of a fixed size: nothing is moved when its front goes.
namespace sidevoice {

class sound_queue {
public:
  void append(samples_view data);

  /// The oldest `count` samples, or all there are; they are gone then.
  samples take(std::size_t count);
  /// Forgets as many.
  void drop(std::size_t count);
  void clear();

  /// A copy of the newest `count` samples, or of all there are.
  [[nodiscard]] samples newest(std::size_t count) const;

  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] bool empty() const;

  /// Calls `f(samples_view)` for each piece, oldest first.
  template <class F>
  void each(F&& f) const {
    auto skip = front_;
    for (const auto& piece : pieces_) {
      f(samples_view{piece}.subspan(skip));
      skip = 0;
    }
  }

private:
  std::deque<samples> pieces_;
  /// Samples of the first piece that are gone.
  std::size_t front_ = 0;
  std::size_t size_ = 0;
};

} // namespace sidevoice
