#include "providers/speech/stt_pool.hpp"

#include "config/log.hpp"
#include "providers/speech/heard_text.hpp"
#include "providers/speech/stt_queue.hpp"
#include "providers/speech/utterance_sound.hpp"
#include "providers/speech/worker_thread.hpp"

#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

namespace sidevoice {

namespace {

constexpr std::chrono::seconds grace{5};

error broken(const std::string& why) {
  return {errc::damaged, "the local recogniser failed: " + why, {}, "engine"};
}

class pool_stream final : public stt_stream {
public:
  pool_stream(std::shared_ptr<stt_queue> queue, std::string app, std::shared_ptr<stt_link> to,
              std::chrono::milliseconds wait_max)
      : queue_(std::move(queue)),
        app_(std::move(app)),
        to_(std::move(to)),
        wait_max_(wait_max) {}
  pool_stream(const pool_stream&) = delete;
  pool_stream& operator=(const pool_stream&) = delete;

  ~pool_stream() override {
    to_->is_open = false;
    if (open_ != nullptr)
      open_->cancel();
    for (const auto& weak : ended_)
      if (const auto one = weak.lock())
        one->cancel();
  }

  void begin(const std::string& id) override {
    end();
    open_ = std::make_shared<utterance>(id, to_);
  }

  void push(samples_view sound) override {
    if (open_ != nullptr && open_->push(sound))
      queue_->add_guess(app_, open_);
  }

  void end() override {
    if (open_ == nullptr)
      return;
    const auto one = std::exchange(open_, nullptr);
    one->end();
    std::erase_if(ended_, [](const auto& weak) { return weak.expired(); });
    ended_.push_back(one);
    one->allow(wait_max_);
    if (!queue_->add_ended(app_, one))
      one->fail({errc::overloaded,
                 "the local recogniser has too much to do; try again later",
                 {},
                 "overloaded"});
  }

  void cancel(const std::string& id) override {
    if (open_ != nullptr && open_->id() == id)
      std::exchange(open_, nullptr)->cancel();
    for (const auto& weak : ended_)
      if (const auto one = weak.lock(); one != nullptr && one->id() == id)
        one->cancel();
  }

private:
  std::shared_ptr<stt_queue> queue_;
  std::string app_;
  std::shared_ptr<stt_link> to_;
  std::chrono::milliseconds wait_max_;
  utterance_ptr open_;
  /// Those whose words may still come.
  std::vector<std::weak_ptr<utterance>> ended_;
};

/// What runs on one thread: a decoder, made again after it has thrown.
class worker {
public:
  worker(decoder_factory make, std::shared_ptr<stt_queue> queue, counters& count)
      : make_(std::move(make)),
        queue_(std::move(queue)),
        count_(count) {}

  void run() {
    // Now, and not with the first visitor's words.
    prepare();
    while (const auto next = queue_->take())
      next->is_guess ? guess(*next->what) : finish(*next->what);
  }

private:
  void finish(utterance& one) {
    const auto sound = one.take();
    const auto kept = newest_minute(sound);
    one.allow(std::chrono::milliseconds{3 * sound_ms(kept.size(), speech_rate)} + grace);
    auto text = hear(kept, [&] { return one.is_wanted() && !queue_->is_closed(); });
    if (!one.is_wanted() || queue_->is_closed())
      return;
    if (text) {
      count_.add(counter::utterances_heard);
      one.tell_final(std::move(*text));
    } else {
      count_.add(counter::utterances_failed);
      log(log_level::warning, "the local recogniser failed", {{"why", text.error().detail}});
      one.fail(std::move(text).error());
    }
  }

  void guess(utterance& one) {
    const auto sound = one.so_far();
    const auto go_on = [&] {
      return one.is_wanted() && !one.is_ended() && !queue_->is_hurried() && !queue_->is_closed();
    };
    auto text = hear(sound, go_on);
    if (text && !text->empty() && go_on())
      one.tell_partial(std::move(*text));
  }

  result<std::string> hear(samples_view sound, const speech_decoder::keep_on& go_on) {
    std::string text;
    for (const auto piece : cut_long(sound)) {
      if (!is_audible(piece))
        continue;
      auto written = decode(piece, go_on);
      if (!written || !go_on())
        return written;
      const auto words = heard_text(*written);
      text += (text.empty() || words.empty() ? "" : " ") + words;
    }
    return text;
  }

  void prepare() {
    try {
      decoder_ = make_();
    } catch (const std::exception& e) {
      log(log_level::warning, "the local recogniser does not start", {{"why", e.what()}});
    } catch (...) {
      log(log_level::warning, "the local recogniser does not start", {});
    }
  }

  result<std::string> decode(samples_view sound, const speech_decoder::keep_on& go_on) {
    try {
      if (decoder_ == nullptr)
        decoder_ = make_();
      if (decoder_ == nullptr)
        return broken("it does not start");
      return decoder_->decode(sound, go_on);
    } catch (const std::exception& e) {
      decoder_.reset();
      return broken(e.what());
    } catch (...) {
      decoder_.reset();
      return broken("for an unknown reason");
    }
  }

  decoder_factory make_;
  std::shared_ptr<stt_queue> queue_;
  counters& count_;
  std::unique_ptr<speech_decoder> decoder_;
};

} // namespace

stt_pool::stt_pool(decoder_factory make, const stt_pool_options& options, loop& where,
                   counters& count)
    : options_(options),
      where_(where),
      queue_(std::make_shared<stt_queue>(options.queue_max)) {
  for (std::size_t i = 0; i < std::max<std::size_t>(options.workers, 1); ++i)
    threads_.push_back(
      start_worker("stt", [one = std::make_shared<worker>(make, queue_, count)] { one->run(); }));
}

stt_pool::~stt_pool() {
  queue_->close();
  for (auto& one : threads_)
    one.join();
}

result<std::unique_ptr<stt_stream>> stt_pool::open(stt_request request, stt_sink sink) {
  if (!request.language.empty() && !request.language.starts_with("en"))
    return error{errc::invalid,
                 "the local recogniser understands English only; choose another vendor in "
                 "models.stt for this language",
                 "language", "language_unsupported"};
  return std::unique_ptr<stt_stream>{std::make_unique<pool_stream>(
    queue_, std::move(request.app), std::make_shared<stt_link>(where_, std::move(sink)),
    options_.wait_max)};
}

} // namespace sidevoice
