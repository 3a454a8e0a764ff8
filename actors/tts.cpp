#include "actors/tts.hpp"

#include "actors/pulse.hpp"
#include "actors/speech_chunks.hpp"
#include "actors/speech_line.hpp"
#include "actors/speech_pace.hpp"
#include "config/log.hpp"

#include <utility>

namespace sidevoice {

/// What an engine said to request number `request`.
struct tts_piece {
  std::uint64_t request = 0;
  tts_event event;
};

/// Time to look whether the engine has gone silent.
struct check_speaker {
  std::uint64_t request = 0;
};

} // namespace sidevoice

SIDEVOICE_LOCAL_MESSAGE(tts_piece)
SIDEVOICE_LOCAL_MESSAGE(check_speaker)

namespace sidevoice {

namespace {

using tts_inner = tts_actor::extend<caf::reacts_to<tts_piece>, caf::reacts_to<check_speaker>>;

/// Chunks that may be spoken before the connection asks for more.
constexpr std::uint32_t chunks_ahead = 2;

/// Owned by one tts actor; touched only inside its handlers.
class tts_state {
public:
  static inline const char* name = "tts";

  explicit tts_state(tts_inner::pointer self) : self_{self} {}

  void start(const node_parts& parts, const find_session& who, const session_actor& session,
             const start_voice& seat) {
    parts_ = parts;
    who_ = who;
    seat_ = seat;
    engines_ = speaking_engines(parts_, *who.app);
    const auto me = tts_actor{tts_inner{self_}};
    self_->send(session, join_voice{seat.seat, me});
    self_
      ->request(session, parts_.timing.store_deadline,
                attach{listener_actor{tts_inner{self_}}, 0, true, false})
      .then([this](const attached& state) { on_attached(state); },
            [this](const caf::error& why) { self_->quit(why); });
  }

  // -- the answer

  void on_open(const speech_open& open) {
    stop();
    run_ = open;
    text_.clear();
    spoken_to_ = 0;
    last_n_ = 0;
    complete_ = false;
    credits_ = chunks_ahead;
    // In the middle of an answer: the connection says what it has.
    waits_for_place_ = open.again;
    if (known_open_ && known_open_->item == open.item)
      take_text(known_open_->text, known_open_->n);
    if (place_ && place_->item == open.item)
      on_place(*place_);
    speak();
  }

  void on_attached(const attached& state) {
    known_open_ = state.open;
    if (run_ && known_open_ && known_open_->item == run_->item) {
      take_text(known_open_->text, known_open_->n);
      speak();
    }
  }

  void on_delta(const answer_delta& piece) {
    if (!run_ || piece.item != run_->item || piece.n <= last_n_ || complete_)
      return;
    last_n_ = piece.n;
    text_ += piece.text;
    speak();
  }

  void on_complete(const text_complete& whole) {
    if (!run_ || whole.item != run_->item || complete_)
      return;
    text_ = whole.text;
    complete_ = true;
    speak();
  }

  void on_published(const published& batch) {
    for (const auto& e : batch.events)
      if (const auto* done = std::get_if<response_done>(&e->body);
          done != nullptr && run_ && done->response == run_->response) {
        stop();
        run_.reset();
      }
  }

  void on_filler(const say_filler& filler) {
    // Never over an answer.
    if (stream_ || (run_ && spoken_to_ != 0))
      return;
    filler_ = filler.id;
    engine_ = 0;
    ask(filler.text);
  }

  void on_terms(const change_seat& change) {
    if (change.seat != seat_.seat)
      return;
    voice_is_unknown_ = voice_is_unknown_ && change.terms.voice == seat_.terms.voice;
    seat_.terms = change.terms;
  }

  // -- the connection

  void on_want() {
    credits_ = std::max(credits_, 1U);
    speak();
  }

  void on_place(const speak_from& place) {
    place_ = place;
    if (!run_ || !waits_for_place_)
      return;
    waits_for_place_ = false;
    if (place.item == run_->item)
      spoken_to_ = place.text_end;
    speak();
  }

  // -- the engine

  void on_piece(tts_piece& piece) {
    if (piece.request != request_ || !stream_)
      return;
    due_ = parts_.where->now() + parts_.timing.tts_stall;
    if (auto* heard = std::get_if<tts_sound>(&piece.event)) {
      sounded_ = true;
      if (heard->piece.data && heard->piece.rate != 0)
        pace_.add(1000.0 * static_cast<double>(heard->piece.data->size()) / heard->piece.rate);
      send(std::move(heard->piece), spoken_to_, false);
    } else if (std::holds_alternative<tts_done>(piece.event)) {
      if (filler_.empty())
        pace_.end();
      end_chunk();
    } else if (auto* failed = std::get_if<tts_failed>(&piece.event)) {
      on_failed(failed->why);
    }
  }

  void on_check(const check_speaker& check) {
    if (!stream_ || check.request != request_)
      return;
    if (const auto left = due_ - parts_.where->now(); left > left.zero())
      return watch(left);
    parts_.count->add(counter::deadlines_passed);
    on_failed({errc::unavailable, "the engine said nothing in time", {}, "stall"});
  }

private:
  void take_text(const std::string& text, std::uint32_t n) {
    if (complete_ || n <= last_n_)
      return;
    last_n_ = n;
    text_ = text;
  }

  void stop() {
    stream_.reset();
    provider_.reset();
    // A word that was cut is over: what comes next waits for its end.
    if (!filler_.empty() && sounded_)
      send({}, 0, true);
    filler_.clear();
    ++request_;
  }

  /// Has the next chunk spoken where one is whole, wanted and nobody speaks.
  void speak() {
    while (run_ && !stream_ && !waits_for_place_ && credits_ != 0) {
      const auto end = next_chunk(text_, spoken_to_, complete_);
      if (end == 0) {
        // Nothing more to say: the answer's sound is whole.
        if (complete_ && spoken_to_ >= text_.size())
          finish();
        return;
      }
      chunk_end_ = end;
      const auto words = speakable(std::string_view{text_}.substr(spoken_to_, end - spoken_to_));
      if (words.empty()) {
        spoken_to_ = end;
        continue;
      }
      --credits_;
      engine_ = 0;
      pace_.begin(end - spoken_to_, seat_.terms.speed);
      ask(words);
    }
  }

  void ask(const std::string& words) {
    words_ = words;
    sounded_ = false;
    error why{errc::unavailable, "the app names no engine that can speak", {}, "no_engine"};
    for (; engine_ < engines_.size(); ++engine_) {
      const auto& choice = engines_[engine_];
      auto made = parts_.providers->make_tts(choice,
                                             speech_context(parts_, who_.app->id, choice.vendor));
      const auto number = ++request_;
      if (made) {
        auto opened = (*made)->open({.app = who_.app->id,
                                     .text = words_,
                                     .language = spoken_language(*who_.app, who_.locale),
                                     .voice = voice_is_unknown_ ? std::string{} : seat_.terms.voice,
                                     .speed = seat_.terms.speed},
                                    [me = tts_inner{self_}, number](tts_event event) {
                                      caf::anon_send(me, tts_piece{number, std::move(event)});
                                    });
        if (opened) {
          provider_ = std::move(*made);
          stream_ = std::move(*opened);
          due_ = parts_.where->now() + parts_.timing.tts_stall;
          return watch(parts_.timing.tts_stall);
        }
        why = opened.error();
      } else {
        why = made.error();
      }
      log(log_level::warning, "tts.not_opened",
          {{"session", who_.id},
           {"response", response_id()},
           {"engine", name_of(choice)},
           {"detail", why.detail}});
    }
    give_up(why);
  }

  void on_failed(const error& why) {
    parts_.count->add(counter::speaking_failed);
    log(log_level::warning, "tts.failed",
        {{"session", who_.id},
         {"response", response_id()},
         {"engine", engine_ < engines_.size() ? name_of(engines_[engine_]) : ""},
         {"reason", why.reason},
         {"detail", why.detail}});
    stream_.reset();
    provider_.reset();
    // A name of another vendor's voice: better any voice than none.
    if (why.reason == "no_voice" && !std::exchange(voice_is_unknown_, true))
      return ask(std::string{words_});
    // What has been heard of the chunk is not said again; its rest is lost to the ear.
    if (sounded_)
      return end_chunk();
    ++engine_;
    ask(std::string{words_});
  }

  /// For logs; a word between answers belongs to none.
  [[nodiscard]] std::string response_id() const {
    return run_ ? run_->response : "none";
  }

  /// No engine can speak: the answer stays text.
  void give_up(const error& why) {
    log(log_level::error, "tts.none",
        {{"session", who_.id},
         {"response", response_id()},
         {"reason", why.reason},
         {"detail", why.detail}});
    parts_.count->add(counter::answers_unspoken);
    stream_.reset();
    if (!std::exchange(filler_, {}).empty())
      return speak();
    if (!run_)
      return;
    finish();
  }

  void end_chunk() {
    stream_.reset();
    provider_.reset();
    if (!filler_.empty()) {
      send({}, 0, true);
      filler_.clear();
      return speak();
    }
    spoken_to_ = chunk_end_;
    // An empty piece: up to here the text is spoken.
    send({}, spoken_to_, false);
    speak();
  }

  void finish() {
    send({}, text_.size(), true);
    run_.reset();
  }

  void send(sound piece, std::size_t text_end, bool last) {
    if (!piece.data)
      piece.data = std::make_shared<const samples>();
    if (!filler_.empty()) {
      self_->send(seat_.holder, speech_sound{{}, 1, filler_, std::move(piece), 0, 0, last});
      return;
    }
    if (run_) {
      const auto near = stream_ ? text_end + pace_.spoken() : text_end;
      self_->send(seat_.holder, speech_sound{run_->response, run_->attempt, run_->item,
                                             std::move(piece), text_end, near, last});
    }
  }

  void watch(loop::clock::duration left) {
    self_->delayed_send(self_, std::chrono::ceil<std::chrono::milliseconds>(left),
                        check_speaker{request_});
  }

  tts_inner::pointer self_;
  node_parts parts_;
  find_session who_;
  start_voice seat_;
  std::vector<model_choice> engines_;
  /// The answer that is being spoken.
  std::optional<speech_open> run_;
  std::string text_;
  std::uint32_t last_n_ = 0;
  bool complete_ = false;
  /// Text before it has been spoken, and where the chunk that is being spoken ends.
  std::size_t spoken_to_ = 0;
  std::size_t chunk_end_ = 0;
  speech_pace pace_;
  std::uint32_t credits_ = chunks_ahead;
  bool waits_for_place_ = false;
  std::optional<speak_from> place_;
  std::optional<open_answer> known_open_;
  /// What is no part of an answer.
  std::string filler_;
  // The request under way.
  std::size_t engine_ = 0;
  std::uint64_t request_ = 0;
  std::string words_;
  bool sounded_ = false;
  bool voice_is_unknown_ = false;
  loop::clock::time_point due_;
  std::unique_ptr<tts_provider> provider_;
  std::unique_ptr<tts_stream> stream_;
};

tts_inner::behavior_type tts_behavior(tts_inner::stateful_pointer<tts_state> self,
                                      const node_parts& parts, const find_session& who,
                                      const session_actor& session, const start_voice& seat) {
  take_pulse(self, parts, "tts", who.id);
  auto& s = self->state;
  s.start(parts, who, session, seat);
  return {
    [&s](const published& batch) { s.on_published(batch); },
    [&s](const answer_delta& piece) { s.on_delta(piece); },
    [](const notice&) {},
    [](const move_away&) {},
    [](const tool_call&) {},
    [](const tool_cancelled&) {},
    [&s](const speech_open& open) { s.on_open(open); },
    [&s](const text_complete& whole) { s.on_complete(whole); },
    [&s](const say_filler& filler) { s.on_filler(filler); },
    [&s](const change_seat& change) { s.on_terms(change); },
    [&s](const want_speech&) { s.on_want(); },
    [&s](const speak_from& place) { s.on_place(place); },
    [&s](tts_piece& piece) { s.on_piece(piece); },
    [&s](const check_speaker& check) { s.on_check(check); },
  };
}

} // namespace

tts_actor spawn_tts(caf::actor_system& sys, const node_parts& parts, const find_session& who,
                    const session_actor& session, const start_voice& seat) {
  return sys.spawn(tts_behavior, parts, who, session, seat);
}

} // namespace sidevoice
