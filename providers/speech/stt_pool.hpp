#pragma once

#include "config/counters.hpp"
#include "config/loop.hpp"
#include "providers/speech/decoder.hpp"
#include "providers/stt.hpp"

#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

namespace sidevoice {

class stt_queue;

struct stt_pool_options {
  std::size_t workers = 1;
  /// Ended utterances of an app that wait; more fail as `overloaded`.
  std::size_t queue_max = 64;
  /// Of an utterance between its end and its turn; then it fails as "deadline".
  std::chrono::milliseconds wait_max{30'000};
};

/// Threads with a decoder each, shared by all streams, the apps by turns. Ended utterances come
/// first, an app's in their order; a worker that would be idle listens to open ones after each
/// further second of sound, and drops that as soon as an ended one waits. A decode has three times
/// the utterance's length and five seconds; then its utterance fails as "deadline".
class stt_pool final : public stt_provider {
public:
  /// `where` and `count` outlive it.
  stt_pool(decoder_factory make, const stt_pool_options& options, loop& where, counters& count);
  stt_pool(const stt_pool&) = delete;
  stt_pool& operator=(const stt_pool&) = delete;
  /// Ends all decodes at once and waits for the threads. Streams that are left
  /// say no words any more.
  ~stt_pool() override;

  result<std::unique_ptr<stt_stream>> open(stt_request request, stt_sink sink) override;

private:
  stt_pool_options options_;
  loop& where_;
  std::shared_ptr<stt_queue> queue_;
  std::vector<std::thread> threads_;
};

} // namespace sidevoice
