#pragma once

#include "actors/voice_messages.hpp"
#include "config/counters.hpp"
#include "config/loop.hpp"
#include "gateway/resampler.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// The way out of an answer's sound: resampled to the client's rate, paced, and accounted for.
/// Plain; one thread at a time.
namespace sidevoice {

/// One frame for the client.
struct sound_frame {
  std::string response;
  std::uint32_t attempt = 1;
  std::string item;
  /// Position of its first sample in the item.
  std::uint32_t from_ms = 0;
  samples data;
  /// The first, and the last, of the item. A last one may be empty.
  bool first = false;
  bool last = false;
};

struct voice_output_settings {
  std::uint32_t rate = 24'000;
  /// How far ahead of real time a client is kept.
  std::chrono::milliseconds lead{1000};
  std::chrono::milliseconds frame{100};
  /// The client reports what it plays; else the clock counts.
  bool reports = false;
};

class voice_output {
public:
  using time = loop::clock::time_point;

  /// `count` outlives it; null: nothing is counted.
  explicit voice_output(voice_output_settings settings, counters* count = nullptr);
  ~voice_output();

  /// New settings; they count from the next item.
  void set(voice_output_settings settings);

  /// A piece of an item's sound, in order. Another item waits until the one before it has gone out.
  /// Pieces of an item that was dropped by its name, or has gone out, change nothing; nor do those
  /// of an earlier attempt. What waits beyond 30 s is kept, and counted: the speaker has credits.
  void add(const speech_sound& piece);

  /// Sends nothing more for now; what was sent may still play, unless the client reports: then it
  /// pauses too. Only the item that is played or going out; once it has been played to its end the
  /// hold is over.
  void hold(const std::string& item, time now);
  void release(const std::string& item, time now);
  /// Forgets an item's sound that has not been sent; the client is taken to flush what it has, and
  /// nothing more is reported of it. Empty: all; items that have not gone out may then go on by
  /// `add`, from `added()`.
  void drop(const std::string& item);

  struct outcome {
    std::vector<sound_frame> frames;
    /// When to come again; unset: when something is added, released or reported. After each of
    /// these, come at once.
    std::optional<time> next;
    /// Reports for audio and session.
    std::vector<playout_report> reports;
    /// Less than two seconds of sound are waiting: speech is wanted.
    bool wants_more = false;
  };
  /// What is due. The pace is a monotonic clock's; a late call catches up.
  outcome tick(time now);

  /// The client has played so much of this item. More than was sent, or another item, changes
  /// nothing. Without a report in an item's first second of sound the clock counts for it.
  void played(const std::string& item, std::uint32_t ms, time now);

  /// Nothing more of this item comes: what is here of it is still sent, and the next one follows.
  void close(const std::string& item);
  /// What is heard now; an item that has been played to its end is not.
  [[nodiscard]] playout_point point(time now) const;
  /// Bytes of the item's text that are spoken by `ms`; for items of late (at most 16). Between two
  /// known positions in proportion, cut between code points by whoever has the text.
  [[nodiscard]] std::optional<std::size_t> text_at(const std::string& item, std::uint32_t ms) const;
  /// Sound of this item that was sent, in ms; of late ones.
  [[nodiscard]] std::optional<std::uint32_t> sent_ms(const std::string& item) const;
  /// Item and text position up to which sound has been added: where a new speaker goes on.
  [[nodiscard]] speak_from added() const;

  [[nodiscard]] bool is_held() const;
  /// Sound that waits, in ms.
  [[nodiscard]] std::uint32_t waiting_ms() const;

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace sidevoice
