#pragma once

#include "config/result.hpp"
#include "providers/sound.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>

/// Text to speech: one request per sentence or clause, so that speech begins with the first one.
namespace sidevoice {

struct tts_request {
  /// Whose agent speaks; engines that are shared serve apps by turns.
  std::string app;
  /// Up to 500 bytes of UTF-8. Whoever asks keeps no more than two requests ahead: a request is
  /// delivered whole, and that bounds what is buffered.
  std::string text;
  std::string language = "en";
  /// The vendor's name of a voice; empty: its default.
  std::string voice;
  /// 0.25 to 1.5 of the voice's own speed.
  double speed = 1.0;
};

/// The next piece of sound; the rate is the engine's and the same within a request.
struct tts_sound {
  sound piece;
};

/// How far the text is spoken at this point of the sound (where the engine tells): everything
/// before byte `text_end` of the request's text has been said `at_ms` after its beginning.
struct tts_mark {
  std::size_t text_end = 0;
  std::uint32_t at_ms = 0;
};

struct tts_done {};

/// Reasons: "overloaded", "deadline", "no_voice", "connect", and the vendor's.
struct tts_failed {
  error why;
};

/// Any number of sounds and marks, then exactly one tts_done or tts_failed, then nothing. A text
/// without anything to say ("...") ends as done without sound.
using tts_event = std::variant<tts_sound, tts_mark, tts_done, tts_failed>;

/// Called on the loop, never from inside `open`; must not block and must not throw.
using tts_sink = std::function<void(tts_event)>;

/// One request under way. Destroying it cancels it at once; an event already under way may still
/// arrive.
class tts_stream {
public:
  virtual ~tts_stream() = default;
};

class tts_provider {
public:
  virtual ~tts_provider() = default;

  /// Errors that are known at once are returned; `unavailable` with reason "no_model" where the
  /// local voice is missing (the detail says how to get it). Any thread.
  virtual result<std::unique_ptr<tts_stream>> open(tts_request request, tts_sink sink) = 0;
};

} // namespace sidevoice
