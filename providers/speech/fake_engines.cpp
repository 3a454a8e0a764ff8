#include "providers/speech/fake_engines.hpp"

#include "config/log.hpp"
#include "providers/speech/energy_gate.hpp"
#include "providers/speech/flite_speaker.hpp"
#include "providers/speech/silero.hpp"
#include "providers/speech/speakable_text.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <mutex>
#include <numbers>
#include <utility>

namespace sidevoice {

namespace {

/// Louder than the noise of a quiet microphone.
constexpr int audible = 200;

/// What a stream has under way. Calls come from the stream's thread, ends from the loop's.
class hearing : public std::enable_shared_from_this<hearing> {
public:
  hearing(loop& where, stt_sink sink) : where_(where), sink_(std::move(sink)) {}

  void end(const std::string& utterance, bool is_loud) {
    const std::lock_guard guard{mutex_};
    const auto token = ++tokens_;
    auto due = where_.after(fake_stt_delay, [weak = weak_from_this(), utterance, token, is_loud] {
      if (const auto me = weak.lock())
        me->tell(utterance, token, is_loud);
    });
    waiting_.insert_or_assign(utterance, wait{token, std::move(due)});
  }

  void cancel(const std::string& utterance) {
    const std::lock_guard guard{mutex_};
    waiting_.erase(utterance);
  }

private:
  struct wait {
    std::uint64_t token = 0;
    std::unique_ptr<timer> due;
  };

  void tell(const std::string& utterance, std::uint64_t token, bool is_loud) {
    {
      const std::lock_guard guard{mutex_};
      const auto found = waiting_.find(utterance);
      if (found == waiting_.end() || found->second.token != token)
        return;
      waiting_.erase(found);
    }
    sink_(stt_final{utterance, is_loud ? fake_sentence : ""});
  }

  loop& where_;
  const stt_sink sink_;
  std::mutex mutex_;
  std::uint64_t tokens_ = 0;
  std::map<std::string, wait> waiting_;
};

class fake_stt_stream final : public stt_stream {
public:
  fake_stt_stream(loop& where, stt_sink sink)
      : hearing_(std::make_shared<hearing>(where, std::move(sink))) {}

  void begin(const std::string& utterance) override {
    end();
    open_ = utterance;
    is_open_ = true;
    is_loud_ = false;
  }

  void push(samples_view sound) override {
    is_loud_ = is_loud_ || std::any_of(sound.begin(), sound.end(), [](std::int16_t s) {
                 return std::abs(int{s}) > audible;
               });
  }

  void end() override {
    if (std::exchange(is_open_, false))
      hearing_->end(open_, is_loud_);
  }

  void cancel(const std::string& utterance) override {
    is_open_ = is_open_ && open_ != utterance;
    hearing_->cancel(utterance);
  }

private:
  std::shared_ptr<hearing> hearing_;
  std::string open_;
  bool is_open_ = false;
  bool is_loud_ = false;
};

class fake_stt final : public stt_provider {
public:
  explicit fake_stt(loop& where) : where_(where) {}

  result<std::unique_ptr<stt_stream>> open(stt_request, stt_sink sink) override {
    return std::unique_ptr<stt_stream>{std::make_unique<fake_stt_stream>(where_, std::move(sink))};
  }

private:
  loop& where_;
};

/// A low tone; all pieces share it.
samples_ptr tone() {
  constexpr double hertz = 220;
  constexpr double loudness = 6000;
  samples out(static_cast<std::size_t>(fake_tts_piece.count()) * speech_rate / 1000);
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<std::int16_t>(
      loudness * std::sin(2 * std::numbers::pi * hertz * static_cast<double>(i) / speech_rate));
  return std::make_shared<const samples>(std::move(out));
}

/// A request under way: all of it happens on the loop, except that somebody drops it.
class saying : public std::enable_shared_from_this<saying> {
public:
  saying(loop& where, counters& count, samples_ptr piece, const tts_request& what, tts_sink sink)
      : where_(where),
        count_(count),
        piece_(std::move(piece)),
        sink_(std::move(sink)),
        text_(make_speakable(what.text)) {
    const auto speed = std::isfinite(what.speed) ? std::clamp(what.speed, 0.25, 4.0) : 1.0;
    const auto& voices = flite_voices();
    is_known_ = what.voice.empty()
                || std::find(voices.begin(), voices.end(), what.voice) != voices.end();
    ms_per_byte_ = fake_tts_ms_per_byte / speed;
    total_ms_ = text_.has_words() ? at(text_.text.size()) : 0;
  }

  void wait() {
    const std::lock_guard guard{mutex_};
    if (!is_wanted_)
      return;
    due_ = where_.after(fake_tts_pace, [weak = weak_from_this()] {
      if (const auto me = weak.lock())
        me->go_on();
    });
  }

  void drop() {
    const std::lock_guard guard{mutex_};
    is_wanted_ = false;
    due_.reset();
  }

private:
  [[nodiscard]] std::uint32_t at(std::size_t byte) const {
    return static_cast<std::uint32_t>(static_cast<double>(byte) * ms_per_byte_);
  }

  [[nodiscard]] bool is_wanted() {
    const std::lock_guard guard{mutex_};
    return is_wanted_;
  }

  void tell(tts_event event) {
    if (is_wanted())
      sink_(std::move(event));
  }

  void go_on() {
    if (!is_known_)
      return tell(
        tts_failed{{errc::not_found, "the local engine has no such voice", "voice", "no_voice"}});
    if (said_ms_ >= total_ms_) {
      count_.add(counter::speech_spoken);
      return tell(tts_done{});
    }
    const auto length = std::min(total_ms_ - said_ms_,
                                 static_cast<std::uint32_t>(fake_tts_piece.count()));
    const auto count = std::size_t{length} * speech_rate / 1000;
    said_ms_ += length;
    tell(tts_sound{{count == piece_->size()
                      ? piece_
                      : std::make_shared<const samples>(
                        piece_->begin(), piece_->begin() + static_cast<std::ptrdiff_t>(count)),
                    speech_rate}});
    mark_words();
    wait();
  }

  /// The words that have been said.
  void mark_words() {
    const auto& text = text_.text;
    while (marked_ < text.size()) {
      const auto end = std::min(text.find(' ', marked_ + 1), text.size());
      if (at(end) > said_ms_)
        return;
      marked_ = end;
      tell(tts_mark{text_.source_end[end - 1], at(end)});
    }
  }

  loop& where_;
  counters& count_;
  const samples_ptr piece_;
  const tts_sink sink_;
  const speakable_text text_;
  /// Apps name the voices of the engine that this one stands for.
  bool is_known_ = true;
  double ms_per_byte_ = fake_tts_ms_per_byte;
  std::uint32_t total_ms_ = 0;
  std::uint32_t said_ms_ = 0;
  std::size_t marked_ = 0;
  std::mutex mutex_;
  bool is_wanted_ = true;
  std::unique_ptr<timer> due_;
};

class fake_tts_stream final : public tts_stream {
public:
  explicit fake_tts_stream(std::shared_ptr<saying> one) : one_(std::move(one)) {}
  fake_tts_stream(const fake_tts_stream&) = delete;
  fake_tts_stream& operator=(const fake_tts_stream&) = delete;
  ~fake_tts_stream() override {
    one_->drop();
  }

private:
  std::shared_ptr<saying> one_;
};

class fake_tts final : public tts_provider {
public:
  fake_tts(loop& where, counters& count) : where_(where), count_(count), piece_(tone()) {}

  result<std::unique_ptr<tts_stream>> open(tts_request request, tts_sink sink) override {
    auto one = std::make_shared<saying>(where_, count_, piece_, request, std::move(sink));
    one->wait();
    return std::unique_ptr<tts_stream>{std::make_unique<fake_tts_stream>(std::move(one))};
  }

private:
  loop& where_;
  counters& count_;
  const samples_ptr piece_;
};

class fake_engines final : public speech_engines {
public:
  fake_engines(const speech_options& options, loop& where, counters& count)
      : stt_(where),
        tts_(where, count) {
    const auto folder = options.models.empty() || options.models.ends_with('/')
                          ? options.models
                          : options.models + '/';
    auto silero = load_silero(folder + "silero_vad_16k_op15.onnx");
    if (silero) {
      vad_ = std::move(*silero);
      return;
    }
    vad_ = make_energy_gate();
    missing_.push_back({"vad", silero.error().detail, "run scripts/models.sh --verify"});
  }

  [[nodiscard]] const vad_engine& vad() const override {
    return *vad_;
  }
  [[nodiscard]] end_of_turn_model* end_of_turn() override {
    return nullptr;
  }
  [[nodiscard]] stt_provider* stt() override {
    return &stt_;
  }
  [[nodiscard]] tts_provider* tts() override {
    return &tts_;
  }
  [[nodiscard]] const std::vector<speech_gap>& missing() const override {
    return missing_;
  }

private:
  fake_stt stt_;
  fake_tts tts_;
  std::unique_ptr<vad_engine> vad_;
  std::vector<speech_gap> missing_;
};

} // namespace

std::unique_ptr<speech_engines> make_fake_speech(const speech_options& options, loop& where,
                                                 counters& count) {
  log(log_level::warning, "speech.fake",
      {{"detail", "no word is understood and none is said: this node serves measurements only"}});
  return std::make_unique<fake_engines>(options, where, count);
}

} // namespace sidevoice
