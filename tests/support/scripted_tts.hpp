#pragma once

#include "config/loop.hpp"
#include "providers/tts.hpp"

#include <algorithm>
#include <cctype>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sidevoice {

/// How a request goes.
struct scripted_saying {
  /// To the first piece of sound.
  std::chrono::milliseconds first{30};
  /// Between pieces.
  std::chrono::milliseconds pace{1};
  /// Instead of the end, after `failure_after` of sound.
  std::optional<error> failure;
  std::chrono::milliseconds failure_after{0};
  /// Nothing comes after `failure_after` of sound, not even an end.
  bool hangs = false;
};

struct tts_script {
  /// At speed 1.
  std::uint32_t ms_per_byte = 60;
  std::chrono::milliseconds piece{100};
  /// Asked at each request, with its number (from 0).
  std::function<scripted_saying(std::size_t nth, const tts_request& what)> say =
    [](std::size_t, const tts_request&) { return scripted_saying{}; };
  std::vector<std::string> voices{"one", "two"};
  /// Asked at each `open`.
  std::function<std::optional<error>()> open = [] { return std::nullopt; };
};

/// Text to speech by script: on a loop, in its time, without threads or randomness. Sound is at
/// 16 kHz, `ms_per_byte` for each byte of the text; every sample of request n has the same value,
/// `scripted_voice(n)`, so that what comes out at the other end can be told apart. A mark follows
/// each word.
class scripted_tts final : public tts_provider {
public:
  scripted_tts(loop& where, tts_script script)
      : shared_(std::make_shared<shared_state>(where, std::move(script))) {}

  static std::int16_t scripted_voice(std::size_t nth) {
    return static_cast<std::int16_t>(1000 + nth % 100 * 200);
  }

  result<std::unique_ptr<tts_stream>> open(tts_request request, tts_sink sink) override {
    if (auto wrong = shared_->script.open())
      return std::move(*wrong);
    const auto nth = shared_->requests.size();
    shared_->requests.push_back(request);
    auto one = std::make_shared<saying>(shared_, nth, std::move(request), std::move(sink));
    one->start();
    return std::unique_ptr<tts_stream>{std::make_unique<stream>(std::move(one))};
  }

  /// What was asked for, in its order.
  [[nodiscard]] const std::vector<tts_request>& requests() const {
    return shared_->requests;
  }
  /// Streams that are not destroyed yet.
  [[nodiscard]] std::size_t live() const {
    return shared_->live;
  }

private:
  struct shared_state {
    shared_state(loop& on, tts_script by) : where(on), script(std::move(by)) {}

    loop& where;
    tts_script script;
    std::vector<tts_request> requests;
    std::size_t live = 0;
  };

  /// A request under way. The loop holds it weakly: it ends with its stream.
  class saying : public std::enable_shared_from_this<saying> {
  public:
    saying(std::shared_ptr<shared_state> shared, std::size_t nth, tts_request what, tts_sink sink)
        : shared_(std::move(shared)),
          what_(std::move(what)),
          sink_(std::move(sink)),
          value_(scripted_voice(nth)),
          how_(shared_->script.say(nth, what_)) {
      const auto words = std::any_of(what_.text.begin(), what_.text.end(),
                                     [](unsigned char c) { return std::isalnum(c) != 0; });
      total_ms_ = words ? at(what_.text.size()) : 0;
      ++shared_->live;
    }

    void start() {
      wait(how_.first);
    }

    void drop() {
      is_dropped_ = true;
      timer_.reset();
      --shared_->live;
    }

  private:
    [[nodiscard]] std::uint32_t at(std::size_t byte) const {
      return static_cast<std::uint32_t>(static_cast<double>(byte * shared_->script.ms_per_byte)
                                        / what_.speed);
    }

    void wait(std::chrono::milliseconds delay) {
      auto next = shared_->where.after(delay, [weak = weak_from_this()] {
        if (const auto self = weak.lock())
          self->go_on();
      });
      // The old timer is the one that is running.
      const auto old = std::exchange(timer_, std::move(next));
    }

    void go_on() {
      const auto& voices = shared_->script.voices;
      if (!what_.voice.empty()
          && std::find(voices.begin(), voices.end(), what_.voice) == voices.end())
        return sink_(
          tts_failed{{errc::not_found, "the script has no such voice", "voice", "no_voice"}});
      const bool is_cut = how_.failure.has_value() || how_.hangs;
      const auto end = is_cut ? std::min(total_ms_,
                                         static_cast<std::uint32_t>(how_.failure_after.count()))
                              : total_ms_;
      if (said_ms_ < end) {
        const auto length = std::min(end - said_ms_,
                                     static_cast<std::uint32_t>(shared_->script.piece.count()));
        const samples piece(std::size_t{length} * speech_rate / 1000, value_);
        said_ms_ += length;
        if (!piece.empty())
          sink_(tts_sound{{std::make_shared<const samples>(piece), speech_rate}});
        say_marks();
        // Whoever listens may have dropped the stream.
        if (!is_dropped_)
          wait(how_.pace);
      } else if (how_.failure) {
        sink_(tts_failed{*how_.failure});
      } else if (!how_.hangs) {
        sink_(tts_done{});
      }
    }

    /// The words that end within what has been said.
    void say_marks() {
      const auto& text = what_.text;
      while (!is_dropped_ && marked_ < text.size()) {
        const auto end = std::min(text.find(' ', marked_ + 1), text.size());
        if (at(end) > said_ms_)
          return;
        marked_ = end;
        sink_(tts_mark{end, at(end)});
      }
    }

    std::shared_ptr<shared_state> shared_;
    tts_request what_;
    tts_sink sink_;
    std::int16_t value_;
    scripted_saying how_;
    std::uint32_t total_ms_ = 0;
    std::uint32_t said_ms_ = 0;
    std::size_t marked_ = 0;
    bool is_dropped_ = false;
    std::unique_ptr<timer> timer_;
  };

  class stream final : public tts_stream {
  public:
    explicit stream(std::shared_ptr<saying> one) : one_(std::move(one)) {}
    stream(const stream&) = delete;
    stream& operator=(const stream&) = delete;
    ~stream() override {
      one_->drop();
    }

  private:
    std::shared_ptr<saying> one_;
  };

  std::shared_ptr<shared_state> shared_;
};

} // namespace sidevoice
