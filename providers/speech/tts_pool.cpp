#include "providers/speech/tts_pool.hpp"

#include "config/log.hpp"
#include "providers/speech/tts_queue.hpp"
#include "providers/speech/worker_thread.hpp"

#include <algorithm>
#include <cmath>
#include <exception>
#include <utility>

namespace sidevoice {

namespace {

constexpr std::size_t text_max = 500;
constexpr double speed_min = 0.25;
constexpr double speed_max = 4.0;

error broken(const std::string& why) {
  return {errc::damaged, "the local voice failed: " + why, {}, "engine"};
}

class pool_stream final : public tts_stream {
public:
  explicit pool_stream(speech_request_ptr request) : request_(std::move(request)) {}
  pool_stream(const pool_stream&) = delete;
  pool_stream& operator=(const pool_stream&) = delete;
  ~pool_stream() override {
    request_->cancel();
  }

private:
  speech_request_ptr request_;
};

/// What runs on one thread: a speaker, made again after it has thrown.
class worker {
public:
  worker(speaker_factory make, std::shared_ptr<tts_queue> queue, counters& count)
      : make_(std::move(make)),
        queue_(std::move(queue)),
        count_(count) {}

  void run() {
    while (const auto next = queue_->take()) {
      auto said = speak(*next);
      if (said) {
        count_.add(counter::speech_spoken);
        next->done();
      } else {
        count_.add(counter::speech_failed);
        log(log_level::warning, "the local voice failed", {{"why", said.error().detail}});
        next->fail(std::move(said).error());
      }
    }
  }

private:
  result<void> speak(speech_request& one) {
    const speech_output to{[&](samples_view piece, std::uint32_t rate) {
                             return one.sound(piece, rate) && !queue_->is_closed();
                           },
                           [&](std::size_t text_end, std::uint32_t at_ms) {
                             one.mark(text_end, at_ms);
                           }};
    try {
      if (speaker_ == nullptr)
        speaker_ = make_();
      if (speaker_ == nullptr)
        return broken("it does not start");
      return speaker_->speak(one.what(), to);
    } catch (const std::exception& e) {
      speaker_.reset();
      return broken(e.what());
    } catch (...) {
      speaker_.reset();
      return broken("for an unknown reason");
    }
  }

  speaker_factory make_;
  std::shared_ptr<tts_queue> queue_;
  counters& count_;
  std::unique_ptr<speaker> speaker_;
};

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names)
    out += (out.empty() ? "" : ", ") + name;
  return out;
}

} // namespace

tts_pool::tts_pool(speaker_factory make, tts_pool_options options, loop& where, counters& count)
    : options_(std::move(options)),
      where_(where),
      count_(count),
      queue_(std::make_shared<tts_queue>(options_.queue_max)) {
  for (std::size_t i = 0; i < std::max<std::size_t>(options_.workers, 1); ++i)
    threads_.push_back(
      start_worker("tts", [one = std::make_shared<worker>(make, queue_, count)] { one->run(); }));
}

tts_pool::~tts_pool() {
  queue_->close();
  for (auto& one : threads_)
    one.join();
}

result<std::unique_ptr<tts_stream>> tts_pool::open(tts_request request, tts_sink sink) {
  if (request.text.size() > text_max)
    return error{errc::invalid,
                 "a text to speak has at most " + std::to_string(text_max)
                   + " bytes: cut it at sentences",
                 "text", "too_long"};
  if (!request.language.empty() && !request.language.starts_with("en"))
    return error{errc::invalid,
                 "the local voice speaks English only; choose another vendor in models.tts for "
                 "this language",
                 "language", "language_unsupported"};
  const auto& voices = options_.voices;
  const auto voice = request.voice.empty() && !voices.empty() ? voices.front() : request.voice;
  const auto speed = std::isfinite(request.speed) ? std::clamp(request.speed, speed_min, speed_max)
                                                  : 1.0;
  const auto one = std::make_shared<speech_request>(where_, std::move(sink),
                                                    make_speakable(request.text), voice, speed);
  auto stream = std::make_unique<pool_stream>(one);
  if (std::find(voices.begin(), voices.end(), voice) == voices.end()) {
    count_.add(counter::speech_failed);
    one->fail({errc::not_found, "the local engine has no such voice; there are " + listed(voices),
               "voice", "no_voice"});
  } else if (!one->has_words()) {
    one->done();
  } else {
    one->allow(options_.limit);
    if (!queue_->add(request.app, one)) {
      count_.add(counter::speech_failed);
      one->fail({errc::overloaded,
                 "the local voice has too much to do; try again later",
                 {},
                 "overloaded"});
    }
  }
  return std::unique_ptr<tts_stream>{std::move(stream)};
}

} // namespace sidevoice
