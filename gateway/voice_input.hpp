#pragma once

#include "actors/voice_messages.hpp"
#include "config/counters.hpp"
#include "config/ids.hpp"
#include "persistence/fold.hpp"
#include "persistence/stream_position.hpp"
#include "providers/vad.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

/// The way in of a client's sound: resample, voice activity, edges, and the keeping of every
/// utterance until its words are durable. Plain; one thread at a time.
namespace sidevoice {

/// An utterance begins, gets sound, ends: as `stt_stream` wants it.
struct feed_begin {
  std::string utterance;
};
struct feed_sound {
  samples data;
};
struct feed_end {};
struct feed_cancel {
  std::string utterance;
};
/// Up to where the stream needs no keeping: everything before is settled or was silence.
struct sound_settled {
  std::uint64_t to_ms = 0;
};
/// For the developer's eye; about ten a second.
struct speech_probe {
  std::uint64_t at_ms = 0;
  float probability = 0;
  bool speaking = false;
};

using input_step = std::variant<speech_edge, feed_begin, feed_sound, feed_end, feed_cancel,
                                sound_settled, speech_probe>;

struct voice_input_limits {
  /// Sound of utterances that are not settled; beyond it the oldest goes and is counted.
  std::uint32_t kept_ms = 60'000;
  /// One utterance; a longer one is ended.
  std::uint32_t utterance_ms = 30'000;
};

class voice_input {
public:
  using steps = std::vector<input_step>;

  /// `ids` and `count` outlive it.
  voice_input(std::unique_ptr<vad_stream> vad, id_source& ids, counters& count,
              voice_input_limits limits = {});
  ~voice_input();

  /// Begins a stream, or goes on with one: the next sample is at `from_ms`. Sound that has been
  /// `dealt` with is not heard again, nor is what this stream has brought before. Speech whose
  /// words are `awaited` is the same utterance again, from its beginning to its end, whatever would
  /// begin or end in it by ear: edges that fall elsewhere would make other speech of it. Where
  /// sound is missing, what was open ends; what was open of another stream is forgotten. Says up to
  /// where it is settled.
  steps begin_stream(std::string stream, std::uint64_t from_ms, const stream_position& dealt,
                     std::vector<speech_state> awaited = {});

  /// New settings; an open utterance goes on under them.
  void set_turns(const turn_settings& turns);

  /// The next sound of the stream; rates may change between calls. Faster than real time is fine.
  /// Before the first begin_stream there is nothing to come of it: it is dropped.
  steps push(samples_view sound, std::uint32_t rate);

  /// Ends what has been said since the last end (with manual turns: all sound since). Nothing where
  /// that is less than 100 ms: false.
  bool commit(steps& out);

  /// Forgets sound that is not committed. Where that was told to have begun, it also ends: a
  /// forgotten utterance has an `ended` edge without any voice in it (`voiced_ms` 0, not manual).
  steps clear();

  /// The turn is over for another reason than silence (an end-of-turn model).
  steps end_utterance(const std::string& utterance);

  /// As `utterance_settled`. A dropped one that is still open is closed.
  steps settle(const std::string& utterance);

  /// Everything that is not settled, in its order, for a new feed; and its edges, for a new audio
  /// actor.
  [[nodiscard]] steps feed_again() const;
  [[nodiscard]] steps edges_again() const;

  [[nodiscard]] const std::string& stream() const;
  [[nodiscard]] std::uint64_t position_ms() const;
  /// The open utterance has voice in it.
  [[nodiscard]] bool in_speech() const;
  /// Id of the utterance that is open; empty: none. With manual turns one is open whenever there is
  /// sound that is not committed; nobody is told before its end.
  [[nodiscard]] std::string open_utterance() const;
  /// Bytes of sound that are kept.
  [[nodiscard]] std::size_t kept_bytes() const;

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace sidevoice
