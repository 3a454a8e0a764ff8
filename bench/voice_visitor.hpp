#pragma once

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

/// One visitor of the spoken load.
namespace voice_bench {

namespace asio = boost::asio;
using steady = std::chrono::steady_clock;

inline constexpr std::uint32_t mic_rate = 24'000;
inline constexpr std::size_t tick_ms = 100;

/// A WebSocket message, made once and sent by everybody.
using frame_ptr = std::shared_ptr<const std::string>;

struct microphone {
  std::vector<frame_ptr> sentence;
  frame_ptr silence;
  /// Where the voice ends within the sentence.
  std::size_t voice_ms = 0;
};

struct load_options {
  std::uint16_t port = 0;
  std::string app = "bench";
  std::string key;
  std::size_t sessions = 10;
  std::size_t seconds = 20;
  std::size_t ramp_s = 4;
  std::size_t silence_ms = 500;
  std::size_t engines_ms = 0;
  std::size_t interrupt_every = 0;
};

/// Milliseconds, all of them, one entry a turn or an interruption.
struct tally {
  /// Turns whose voice ended in here count.
  steady::time_point from;
  steady::time_point until;
  /// From the end of the voice to the first sound of the answer: what a visitor hears, without the
  /// network.
  std::vector<double> voice_to_sound;
  /// The same to speech_stopped.
  std::vector<double> stopped;
  std::vector<double> stopped_to_transcript;
  std::vector<double> transcript_to_sound;
  /// speech_stopped to the first sound, less what the engines take: the server's own part.
  std::vector<double> share;
  /// From the append that the voice was noticed in to speech_started.
  std::vector<double> append_to_started;
  /// From speech_started to the last sound of the answer that was talked over; 0: none came.
  std::vector<double> started_to_last;
  /// Sound that came behind speech_started, in ms of sound.
  std::vector<double> sound_after_started;
  /// How late the microphones were.
  std::vector<double> slip;
  std::size_t turns = 0;
  std::size_t interruptions = 0;
  /// A turn with no answer, or more than one, or one that is out of order.
  std::size_t violations = 0;
  std::size_t errors = 0;
};

class visitor {
public:
  virtual ~visitor() = default;
  /// Connects then; goes when the tally's time is over.
  virtual void start(steady::time_point when) = 0;

  /// Arguments and visitor outlive the context's run.
  static std::shared_ptr<visitor> make(asio::io_context& io, const load_options& options,
                                       const microphone& mic, tally& count, std::size_t number);
};

} // namespace voice_bench
