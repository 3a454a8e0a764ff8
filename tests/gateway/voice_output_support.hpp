#pragma once

#include "gateway/voice_output.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sidevoice {

/// A client with our extensions.
constexpr voice_output_settings own_client{.rate = 24'000,
                                           .lead = std::chrono::milliseconds{200},
                                           .frame = std::chrono::milliseconds{100},
                                           .reports = true};

/// A piece of an answer's sound.
inline speech_sound piece(std::string item, std::size_t length_ms, std::size_t text_end,
                          bool last = false, std::uint32_t rate = 24'000) {
  speech_sound out;
  out.response = "resp_" + item;
  out.item = std::move(item);
  out.piece.data = std::make_shared<const samples>(length_ms * rate / 1000, std::int16_t{100});
  out.piece.rate = rate;
  out.text_end = text_end;
  out.last = last;
  return out;
}

/// A voice_output, a clock that is turned by hand, and what came out.
struct output_fixture {
  using ms = std::chrono::milliseconds;

  explicit output_fixture(voice_output_settings settings = {}) : output{settings, &count} {}

  voice_output::outcome tick() {
    auto out = output.tick(now);
    for (auto& frame : out.frames)
      frames.push_back(std::move(frame));
    for (auto& report : out.reports)
      reports.push_back(std::move(report));
    next = out.next;
    return out;
  }

  /// Comes whenever it is asked to, for so long.
  output_fixture& run(ms duration) {
    const auto end = now + duration;
    for (tick(); next && *next <= end; tick()) {
      ++calls;
      now = std::max(now, *next);
    }
    now = end;
    tick();
    return *this;
  }

  /// Sound that was sent of an item, in ms.
  [[nodiscard]] std::uint64_t sent(const std::string& item, std::uint32_t rate = 24'000) const {
    std::uint64_t sum = 0;
    for (const auto& frame : frames)
      sum += frame.item == item ? frame.data.size() : 0;
    return sound_ms(sum, rate);
  }

  counters count;
  voice_output output;
  voice_output::time now{std::chrono::hours{5}};
  std::vector<sound_frame> frames;
  std::vector<playout_report> reports;
  std::optional<voice_output::time> next;
  int calls = 0;
};

} // namespace sidevoice
