#include "bench/voice_visitor.hpp"

#include "bench/voice_line.hpp"
#include <boost/asio/steady_timer.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iostream>
#include <optional>
#include <utility>

namespace voice_bench {

namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr milliseconds tick{tick_ms};
/// An answer that has not begun by then will not.
constexpr milliseconds patience{8000};
constexpr milliseconds talk_over_after{1000};
double ms_between(steady::time_point from, steady::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

/// The value of a field of text without escapes, searched from the end: the frames of sound are
/// long, and too many to be parsed.
std::string_view field(std::string_view text, std::string_view name) {
  const auto key = "\"" + std::string{name} + "\":\"";
  const auto at = text.rfind(key);
  if (at == std::string_view::npos)
    return {};
  const auto begin = at + key.size();
  return text.substr(begin, text.find('"', begin) - begin);
}

/// Speaks, is silent until the answer's sound has been played, and speaks again.
class plain_visitor final : public visitor, public std::enable_shared_from_this<plain_visitor> {
public:
  plain_visitor(asio::io_context& io, const load_options& options, const microphone& mic,
                tally& count, std::size_t number)
      : options_{options},
        mic_{mic},
        count_{count},
        number_{number},
        line_{std::make_shared<line>(io, options)},
        timer_{io} {}

  void start(steady::time_point when) override {
    timer_.expires_at(when);
    timer_.async_wait([me = shared_from_this()](boost::system::error_code) { me->connect(); });
  }

private:
  /// A turn: from the end of the voice on.
  struct turn {
    steady::time_point voice_end;
    std::optional<steady::time_point> stopped;
    std::optional<steady::time_point> transcript;
    std::optional<steady::time_point> first_sound;
    std::string response;
    bool counts = false;
  };

  void connect() {
    line_->open({[this] { begin(); }, [this](std::string_view text) { on_event(text); },
                 [this](const std::string& why) { fail(why); }});
  }

  void begin() {
    const json format{{"type", "audio/pcm"}, {"rate", mic_rate}};
    const json session{
      {"type", "realtime"},
      {"output_modalities", {"audio"}},
      {"audio",
       {{"input",
         {{"format", format},
          {"transcription", {{"model", "whisper-1"}}},
          {"turn_detection",
           {{"type", "server_vad"}, {"silence_duration_ms", options_.silence_ms}}}}},
        {"output", {{"format", format}}}}}};
    line_->send(std::make_shared<const std::string>(
      json{{"type", "session.update"}, {"session", session}}.dump()));
    begun_ = steady::now();
    // Visitors do not march in step: their first sentences begin within three seconds.
    speak_at_ = begun_ + milliseconds{500 + number_ * 7919 % 2500};
    wait_for_tick();
  }

  // -- the microphone

  void wait_for_tick() {
    const auto due = begun_ + tick * ++ticks_;
    timer_.expires_at(due);
    timer_.async_wait([me = shared_from_this(), due](boost::system::error_code ec) {
      if (!ec && !me->line_->is_closed())
        me->on_tick(due);
    });
  }

  void on_tick(steady::time_point due) {
    const auto now = steady::now();
    if (due > count_.from)
      count_.slip.push_back(ms_between(due, now));
    if (now >= count_.until)
      return leave(now);
    if (now > patience_until_)
      give_up();
    if (now >= speak_at_ && piece_ == silent) {
      piece_ = 0;
      speak_at_ = steady::time_point::max();
      voiced_ = due - tick;
    }
    if (piece_ == silent) {
      line_->send(mic_.silence);
    } else {
      last_append_ = now;
      line_->send(mic_.sentence[piece_]);
      if (++piece_ == mic_.sentence.size())
        end_sentence();
    }
    wait_for_tick();
  }

  /// What was sent at a tick was spoken in the tenth of a second before it.
  void end_sentence() {
    piece_ = silent;
    turn_ = turn{};
    turn_->voice_end = voiced_ + milliseconds{mic_.voice_ms};
    turn_->counts = turn_->voice_end >= count_.from;
    patience_until_ = turn_->voice_end + patience;
    if (talking_over_)
      end_interruption();
  }

  void give_up() {
    violate("no answer");
    turn_.reset();
    patience_until_ = steady::time_point::max();
    speak_at_ = steady::now();
  }

  // -- the server

  void on_event(std::string_view text) {
    const auto now = steady::now();
    if (text.find(R"("type":"response.output_audio.delta")") != std::string_view::npos)
      return on_sound(text, now);
    const auto event = json::parse(text);
    const auto& type = event["type"].get_ref<const std::string&>();
    if (type == "input_audio_buffer.speech_started")
      on_started(now);
    else if (type == "input_audio_buffer.speech_stopped")
      on_stopped(now);
    else if (type == "conversation.item.input_audio_transcription.completed")
      on_transcript(event, now);
    else if (type == "response.created")
      on_response(event["response"]["id"]);
    else if (type == "response.done")
      on_done(event["response"]);
    else if (type == "error" || type == "conversation.item.input_audio_transcription.failed")
      fail(std::string{text});
  }

  void on_started(steady::time_point now) {
    if (talking_over_ && !started_) {
      started_ = last_sound_ = now;
      late_ms_ = 0;
      if (now >= count_.from)
        count_.append_to_started.push_back(ms_between(last_append_, now));
    }
  }

  void on_stopped(steady::time_point now) {
    // A pause within the sentence that is taken for its end would be a turn of its own.
    if (!turn_ || turn_->stopped)
      return violate("speech stopped that had not ended");
    turn_->stopped = now;
    if (turn_->counts)
      count_.stopped.push_back(ms_between(turn_->voice_end, now));
  }

  void on_transcript(const json& event, steady::time_point now) {
    if (!turn_ || !turn_->stopped || turn_->transcript)
      return violate("words without a turn");
    if (event["transcript"].get_ref<const std::string&>().empty())
      violate("no words");
    turn_->transcript = now;
    if (turn_->counts)
      count_.stopped_to_transcript.push_back(ms_between(*turn_->stopped, now));
  }

  void on_response(std::string id) {
    if (!turn_ || !turn_->transcript || !turn_->response.empty())
      return violate("an answer without a turn");
    turn_->response = std::move(id);
  }

  void on_sound(std::string_view text, steady::time_point now) {
    const auto ms = static_cast<double>(field(text, "delta").size()) * 3 / 4 / 2 * 1000 / mic_rate;
    if (!turn_ || field(text, "response_id") != turn_->response) {
      // The end of an answer that is talked over.
      if (field(text, "response_id") != talked_over_)
        return violate("sound of no answer");
    }
    if (started_) {
      last_sound_ = now;
      late_ms_ += ms;
      return;
    }
    if (!turn_)
      return;
    if (!turn_->first_sound)
      on_first_sound(now);
    played_ += std::chrono::microseconds{static_cast<std::int64_t>(ms * 1000)};
  }

  void on_first_sound(steady::time_point now) {
    turn_->first_sound = played_ = now;
    patience_until_ = now + patience * 4;
    if (turn_->counts) {
      ++count_.turns;
      count_.voice_to_sound.push_back(ms_between(turn_->voice_end, now));
      count_.transcript_to_sound.push_back(ms_between(*turn_->transcript, now));
      count_.share.push_back(ms_between(*turn_->stopped, now)
                             - static_cast<double>(options_.engines_ms));
    }
    ++answers_;
    if (options_.interrupt_every == 0 || (answers_ + number_) % options_.interrupt_every != 0)
      return;
    talking_over_ = true;
    talked_over_ = turn_->response;
    speak_at_ = now + talk_over_after;
    started_.reset();
  }

  void on_done(const json& response) {
    const auto& id = response["id"].get_ref<const std::string&>();
    const auto& status = response["status"].get_ref<const std::string&>();
    if (id == talked_over_) {
      if (status != "cancelled")
        violate("an answer that was talked over ended as " + status);
      return;
    }
    if (!turn_ || id != turn_->response)
      return violate("the end of no answer");
    if (status != "completed" || !turn_->first_sound)
      violate("an answer ended as " + status);
    patience_until_ = steady::time_point::max();
    // Once it has been played, and a moment to think.
    speak_at_ = played_ + milliseconds{400 + (number_ * 104729 + answers_ * 7919) % 800};
    turn_.reset();
  }

  /// The second sentence is out: what came of the answer behind speech_started is all there is.
  void end_interruption() {
    talking_over_ = false;
    if (!started_) {
      violate("talking over was not noticed");
      return;
    }
    if (*started_ >= count_.from) {
      ++count_.interruptions;
      count_.started_to_last.push_back(ms_between(*started_, last_sound_));
      count_.sound_after_started.push_back(late_ms_);
    }
    started_.reset();
  }

  /// An answer that is later than any that was counted must not be left out.
  void leave(steady::time_point now) {
    if (turn_ && turn_->counts && !turn_->first_sound
        && now > turn_->voice_end + milliseconds{options_.silence_ms + 3000})
      violate("no answer in the end");
    line_->close();
  }

  void violate(const std::string& what) {
    if (++count_.violations < 10)
      std::cerr << "session " << number_ << ", answer " << answers_ << ": " << what << '\n';
  }

  void fail(const std::string& why) {
    if (++count_.errors < 10)
      std::cerr << "session " << number_ << ": " << why << '\n';
    line_->close();
    timer_.cancel();
  }

  static constexpr std::size_t silent = static_cast<std::size_t>(-1);

  const load_options& options_;
  const microphone& mic_;
  tally& count_;
  const std::size_t number_;
  const std::shared_ptr<line> line_;
  asio::steady_timer timer_;
  steady::time_point begun_;
  std::int64_t ticks_ = 0;
  /// The piece of the sentence that is sent next.
  std::size_t piece_ = silent;
  steady::time_point speak_at_ = steady::time_point::max();
  steady::time_point voiced_;
  steady::time_point last_append_;
  steady::time_point patience_until_ = steady::time_point::max();

  std::optional<turn> turn_;
  std::size_t answers_ = 0;
  /// When what has come of the answer has been played.
  steady::time_point played_;
  bool talking_over_ = false;
  std::string talked_over_;
  std::optional<steady::time_point> started_;
  steady::time_point last_sound_;
  double late_ms_ = 0;
};

} // namespace

std::shared_ptr<visitor> visitor::make(asio::io_context& io, const load_options& options,
                                       const microphone& mic, tally& count, std::size_t number) {
  return std::make_shared<plain_visitor>(io, options, mic, count, number);
}

} // namespace voice_bench
