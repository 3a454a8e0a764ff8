#pragma once

#include "config/loop.hpp"
#include "providers/stt.hpp"

#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sidevoice {

/// How an utterance goes.
struct scripted_hearing {
  /// From its end to its words.
  std::chrono::milliseconds delay{200};
  /// Instead of words.
  std::optional<error> failure;
  /// No end ever comes.
  bool hangs = false;
};

struct stt_script {
  /// What can be said. Sound of sentence k is made by `scripted_speech(k, ms)`.
  std::vector<std::string> sentences;
  /// Asked at each end of an utterance, with its number (from 0) among those of all streams.
  std::function<scripted_hearing(std::size_t nth)> hear = [](std::size_t) {
    return scripted_hearing{};
  };
  /// Partials after each further stretch of sound; 0: none.
  std::chrono::milliseconds partial_every{1000};
  /// Asked at each `open`.
  std::function<std::optional<error>()> open = [] { return std::nullopt; };
};

/// Loudness stands for the sentence: in steps that survive a resampler and G.711.
inline constexpr int scripted_step = 256;

/// Sound that the scripted recogniser takes for sentence `index` (0 to 126).
inline samples scripted_speech(std::size_t index, std::size_t ms) {
  return samples(ms * speech_rate / 1000,
                 static_cast<std::int16_t>((index + 1) * static_cast<std::size_t>(scripted_step)));
}

/// Speech to text by script: on a loop, in its time, without threads or randomness. The sample that
/// an utterance has most of, quiet ones aside, says which sentence it is.
class scripted_stt final : public stt_provider {
public:
  scripted_stt(loop& where, stt_script script)
      : shared_(std::make_shared<shared_state>(where, std::move(script))) {}

  result<std::unique_ptr<stt_stream>> open(stt_request request, stt_sink sink) override {
    if (auto wrong = shared_->script.open())
      return std::move(*wrong);
    shared_->requests.push_back(std::move(request));
    return std::unique_ptr<stt_stream>{std::make_unique<stream>(shared_, std::move(sink))};
  }

  [[nodiscard]] const std::vector<stt_request>& requests() const {
    return shared_->requests;
  }
  /// Streams that are not destroyed yet.
  [[nodiscard]] std::size_t live() const {
    return shared_->live;
  }
  /// Utterances that have ended, of all streams.
  [[nodiscard]] std::size_t ended() const {
    return shared_->ended;
  }

private:
  struct shared_state {
    shared_state(loop& on, stt_script by) : where(on), script(std::move(by)) {}

    loop& where;
    stt_script script;
    std::vector<stt_request> requests;
    std::size_t live = 0;
    std::size_t ended = 0;
  };

  struct utterance {
    std::string id;
    std::map<int, std::size_t> levels;
    std::size_t heard = 0;
    std::size_t partials = 0;
    bool is_ended = false;
    std::unique_ptr<timer> due;
  };
  using utterance_ptr = std::shared_ptr<utterance>;

  /// Alive as long as its stream: what is posted looks here before it calls the sink.
  struct link {
    stt_sink sink;
    std::vector<utterance_ptr> pending;
  };

  class stream final : public stt_stream {
  public:
    stream(std::shared_ptr<shared_state> shared, stt_sink sink)
        : shared_(std::move(shared)),
          link_(std::make_shared<link>()) {
      link_->sink = std::move(sink);
      ++shared_->live;
    }
    stream(const stream&) = delete;
    stream& operator=(const stream&) = delete;
    ~stream() override {
      --shared_->live;
      link_->pending.clear();
    }

    void begin(const std::string& id) override {
      end();
      open_ = std::make_shared<utterance>();
      open_->id = id;
      link_->pending.push_back(open_);
    }

    void push(samples_view sound) override {
      if (open_ == nullptr)
        return;
      for (const auto s : sound)
        ++open_->levels[(std::abs(int{s}) + scripted_step / 2) / scripted_step];
      open_->heard += sound.size();
      const auto every = static_cast<std::size_t>(shared_->script.partial_every.count());
      if (every == 0 || sound_ms(open_->heard, speech_rate) / every <= open_->partials)
        return;
      open_->partials = sound_ms(open_->heard, speech_rate) / every;
      shared_->where.post([shared = shared_, weak = std::weak_ptr{link_}, one = open_] {
        const auto to = weak.lock();
        if (to == nullptr || one->is_ended || !is_pending(*to, one))
          return;
        auto text = first_words(sentence_of(*shared, *one), 2 * one->partials);
        if (!text.empty())
          to->sink(stt_partial{one->id, std::move(text)});
      });
    }

    void end() override {
      const auto one = std::exchange(open_, nullptr);
      if (one == nullptr)
        return;
      one->is_ended = true;
      const auto how = shared_->script.hear(shared_->ended++);
      if (how.hangs)
        return;
      one->due = shared_->where.after(how.delay, [shared = shared_, weak = std::weak_ptr{link_},
                                                  one, failure = how.failure] {
        const auto to = weak.lock();
        if (to == nullptr || !is_pending(*to, one))
          return;
        const auto sink = to->sink;
        const auto past = std::move(one->due);
        std::erase(to->pending, one);
        if (failure)
          sink(stt_failed{one->id, *failure});
        else
          sink(stt_final{one->id, sentence_of(*shared, *one)});
      });
    }

    void cancel(const std::string& id) override {
      if (open_ != nullptr && open_->id == id)
        open_.reset();
      std::erase_if(link_->pending, [&](const utterance_ptr& one) {
        if (one->id != id)
          return false;
        one->due.reset();
        return true;
      });
    }

  private:
    static bool is_pending(const link& to, const utterance_ptr& one) {
      for (const auto& p : to.pending)
        if (p == one)
          return true;
      return false;
    }

    static std::string sentence_of(const shared_state& shared, const utterance& one) {
      int level = 0;
      std::size_t most = 0;
      for (const auto& [l, count] : one.levels)
        if (l > 0 && count > most) {
          level = l;
          most = count;
        }
      const auto index = static_cast<std::size_t>(level);
      return index == 0 || index > shared.script.sentences.size()
               ? std::string{}
               : shared.script.sentences[index - 1];
    }

    static std::string first_words(const std::string& text, std::size_t count) {
      std::size_t at = 0;
      for (; count > 0 && at != std::string::npos; --count)
        at = text.find(' ', at == 0 ? 0 : at + 1);
      return text.substr(0, at);
    }

    std::shared_ptr<shared_state> shared_;
    std::shared_ptr<link> link_;
    utterance_ptr open_;
  };

  std::shared_ptr<shared_state> shared_;
};

} // namespace sidevoice
