#include "gateway/sound_queue.hpp"

#include <algorithm>

namespace sidevoice {

namespace {

/// A quarter of a second at 16 kHz, 8 KiB.
constexpr std::size_t piece_size = 4096;

} // namespace

void sound_queue::append(samples_view data) {
  size_ += data.size();
  while (!data.empty()) {
    if (pieces_.empty() || pieces_.back().size() == piece_size)
      pieces_.emplace_back().reserve(piece_size);
    auto& piece = pieces_.back();
    const auto some = data.first(std::min(data.size(), piece_size - piece.size()));
    piece.insert(piece.end(), some.begin(), some.end());
    data = data.subspan(some.size());
  }
}

samples sound_queue::take(std::size_t count) {
  samples out;
  out.reserve(std::min(count, size_));
  each([&](samples_view piece) {
    const auto some = piece.first(std::min(piece.size(), count - out.size()));
    out.insert(out.end(), some.begin(), some.end());
  });
  drop(count);
  return out;
}

void sound_queue::drop(std::size_t count) {
  count = std::min(count, size_);
  size_ -= count;
  front_ += count;
  while (!pieces_.empty() && front_ >= pieces_.front().size()) {
    front_ -= pieces_.front().size();
    pieces_.pop_front();
  }
}

void sound_queue::clear() {
  *this = sound_queue{};
}

samples sound_queue::newest(std::size_t count) const {
  samples out;
  auto skip = size_ - std::min(count, size_);
  out.reserve(size_ - skip);
  each([&](samples_view piece) {
    const auto passed = std::min(skip, piece.size());
    skip -= passed;
    out.insert(out.end(), piece.begin() + static_cast<std::ptrdiff_t>(passed), piece.end());
  });
  return out;
}

std::size_t sound_queue::size() const {
  return size_;
}

bool sound_queue::empty() const {
  return size_ == 0;
}

} // namespace sidevoice
