#pragma once

#include "config/result.hpp"
#include "providers/sound.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>

/// Speech to text: one conversation with an engine or a vendor per voice seat, utterance by
/// utterance.
namespace sidevoice {

struct stt_request {
  /// Whose visitor it is; engines that are shared serve apps by turns.
  std::string app;
  /// Language of the session, such as "en" or "de".
  std::string language = "en";
  /// Words that are likely to be said (names of the app's topics and choices); may be ignored.
  std::string hint;
};

/// What may have been said so far; replaces the former partial of this utterance. Any number,
/// none after the utterance's end.
struct stt_partial {
  std::string utterance;
  std::string text;
};

/// What was said. Empty text: nothing that could be understood.
struct stt_final {
  std::string utterance;
  std::string text;
};

/// This utterance, or with an empty `utterance` the whole stream, came to nothing. Reasons:
/// "overloaded" (the queue of the engine is full), "deadline", "damaged", "connect", and the
/// vendor's.
struct stt_failed {
  std::string utterance;
  error why;
};

using stt_event = std::variant<stt_partial, stt_final, stt_failed>;

/// Called on the loop, never from inside a call of the stream; must not block and must not throw.
using stt_sink = std::function<void(stt_event)>;

/// One visitor's speech. Calls come from one thread at a time and never block. Destroying it
/// cancels everything; an event already under way may still arrive.
class stt_stream {
public:
  virtual ~stt_stream() = default;

  /// An utterance begins; one that is open is ended first. Ids are the caller's and never repeat
  /// within a stream, except after `cancel`.
  virtual void begin(const std::string& utterance) = 0;

  /// Sound of the open utterance, at 16 kHz, faster than real time if need be. Without an open
  /// utterance it is dropped. An utterance of more than a minute keeps its newest minute.
  virtual void push(samples_view sound) = 0;

  /// Nothing more is said: exactly one stt_final or stt_failed for it follows.
  virtual void end() = 0;

  /// Forgets the utterance, open or ended: nothing more of it is wanted.
  virtual void cancel(const std::string& utterance) = 0;
};

class stt_provider {
public:
  virtual ~stt_provider() = default;

  /// Errors that are known at once are returned; `unavailable` with reason "no_model" where the
  /// local model is missing (the detail says how to get it). Any thread.
  virtual result<std::unique_ptr<stt_stream>> open(stt_request request, stt_sink sink) = 0;
};

} // namespace sidevoice
