#pragma once

#include "config/counters.hpp"
#include "config/loop.hpp"
#include "providers/speech/speaker.hpp"
#include "providers/tts.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace sidevoice {

class tts_queue;

struct tts_pool_options {
  std::size_t workers = 1;
  /// Requests of an app that wait; more fail as `overloaded`.
  std::size_t queue_max = 64;
  /// From the request to its last sound; then it fails as "deadline".
  std::chrono::milliseconds limit{30'000};
  /// What there is to choose from; the first is the default.
  std::vector<std::string> voices;
};

/// Threads with a speaker each, shared by all requests: an app's in their order, the apps by turns.
/// The first piece of sound goes out as soon as it is there, later ones have 100 ms or more.
class tts_pool final : public tts_provider {
public:
  /// `where` and `count` outlive it.
  tts_pool(speaker_factory make, tts_pool_options options, loop& where, counters& count);
  tts_pool(const tts_pool&) = delete;
  tts_pool& operator=(const tts_pool&) = delete;
  /// Ends what is spoken at once and waits for the threads. Streams that are left are silent.
  ~tts_pool() override;

  result<std::unique_ptr<tts_stream>> open(tts_request request, tts_sink sink) override;

private:
  tts_pool_options options_;
  loop& where_;
  counters& count_;
  std::shared_ptr<tts_queue> queue_;
  std::vector<std::thread> threads_;
};

} // namespace sidevoice
