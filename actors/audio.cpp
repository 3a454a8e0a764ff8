#include "actors/audio.hpp"

#include "actors/pulse.hpp"
#include "actors/silence_watch.hpp"
#include "actors/turn_ledger.hpp"
#include "actors/turn_taking.hpp"
#include "config/log.hpp"

#include <deque>
#include <utility>

namespace sidevoice {

/// What the end-of-turn model said.
struct turn_judged {
  std::string utterance;
  result<float> probability;
};

/// Time to look what is due. Obsolete where another look has been planned since.
struct look {
  std::uint64_t number = 0;
};

/// A refused command of this number goes to the session again.
struct send_again {
  std::uint64_t number = 0;
};

} // namespace sidevoice

SIDEVOICE_LOCAL_MESSAGE(turn_judged)
SIDEVOICE_LOCAL_MESSAGE(look)
SIDEVOICE_LOCAL_MESSAGE(send_again)

namespace sidevoice {

namespace {

using audio_inner = audio_actor::extend<caf::reacts_to<turn_judged>, caf::reacts_to<look>,
                                        caf::reacts_to<send_again>>;

constexpr std::chrono::seconds command_deadline{10};
constexpr std::chrono::milliseconds retry_pause{400};
/// Then the words are given up; the connection keeps the sound for the next incarnation.
constexpr int tries_max = 20;

/// Owned by one audio actor; touched only inside its handlers.
class audio_state {
public:
  static inline const char* name = "audio";

  explicit audio_state(audio_inner::pointer self) : self_{self} {}

  void start(const node_parts& parts, const find_session& who, const session_actor& session,
             const start_voice& seat) {
    parts_ = parts;
    who_ = who;
    session_ = session;
    seat_ = seat;
    set(seat.terms);
    self_->send(session, join_voice{seat.seat, audio_actor{audio_inner{self_}}});
    const listener_actor me{audio_inner{self_}};
    self_->request(session, parts_.timing.store_deadline, attach{me, 0, true, false})
      .then([](const attached&) {}, [this](const caf::error& why) { self_->quit(why); });
  }

  void on_terms(const change_seat& change) {
    if (change.seat == seat_.seat)
      set(change.terms);
  }

  void on_edge(const speech_edge& edge) {
    const auto now = parts_.where->now();
    silences_.on_voice();
    if (edge.kind == edge_kind::ended)
      ledger_.ended(edge.utterance, std::chrono::milliseconds{edge.silence_ms}, now);
    act(turns_.on_edge(edge, now));
  }

  void on_text(const utterance_text& text) {
    const auto now = parts_.where->now();
    if (text.is_final)
      ledger_.words(text.utterance, now);
    act(turns_.on_text(text, now));
  }

  void on_judged(const turn_judged& judged) {
    // Without an opinion the silence decides.
    if (judged.probability)
      act(turns_.on_model(judged.utterance, *judged.probability, parts_.where->now()));
  }

  void on_playout(const playout_report& report) {
    const auto now = parts_.where->now();
    const auto& item = report.point.item;
    if (report.first_sent) {
      silences_.on_agent();
      ledger_.sent(item, response_of_ == item ? response_ : std::string{}, now);
    }
    if (report.first_played)
      if (auto measured = ledger_.played(item, now)) {
        parts_.count->add(counter::turns_measured);
        self_->send(session_, std::move(*measured));
      }
    if (report.played_all)
      silences_.on_played(now);
    plan();
  }

  void on_published(const published& batch) {
    const auto now = parts_.where->now();
    for (const auto& e : batch.events) {
      if (const auto* started = std::get_if<response_started>(&e->body)) {
        response_ = started->response;
        response_of_ = started->item;
        turns_.on_answer(true);
      } else if (const auto* spoken = std::get_if<response_spoken>(&e->body)) {
        ledger_.first_clause(spoken->response, now);
      } else if (const auto* done = std::get_if<response_done>(&e->body)) {
        if (done->status != response_status::completed)
          ledger_.forget(done->response);
        if (done->response == response_)
          turns_.on_answer(false);
        silences_.on_ended(done->response, now);
      } else if (const auto* requested = std::get_if<response_requested>(&e->body)) {
        silences_.on_asked(requested->response, requested->response == prompt_, now);
      } else if (const auto* words = std::get_if<input_transcribed>(&e->body)) {
        settle(words->item, false);
      } else if (const auto* removed = std::get_if<item_removed>(&e->body)) {
        settle(removed->id, false);
      }
    }
    plan();
  }

  void on_delta(const answer_delta& piece) {
    if (piece.n == 1)
      ledger_.first_token(piece.response, parts_.where->now());
    else if (piece.clause == 2)
      ledger_.first_clause(piece.response, parts_.where->now());
  }

  void on_look(const look& at) {
    if (at.number != looks_)
      return;
    planned_.reset();
    const auto now = parts_.where->now();
    switch (silences_.on_time(now)) {
      case silence_watch::what::filler:
        fill();
        break;
      case silence_watch::what::prompt:
        prompt(who_.app->voice.visitor_silent ? who_.app->voice.visitor_silent->say : "");
        break;
      case silence_watch::what::idle:
        prompt({});
        break;
      case silence_watch::what::nothing:
        break;
    }
    act(turns_.on_time(now));
  }

  void on_again(const send_again& again) {
    for (auto& waiting : unanswered_)
      if (waiting.number == again.number)
        return submit(waiting);
  }

private:
  /// A command that the session has not taken yet; each holds its place.
  struct pending {
    std::uint64_t number = 0;
    std::variant<take_turn, take_words> what;
    std::string response = {};
    int tries = 0;
  };

  void set(const seat_terms& terms) {
    seat_.terms = terms;
    const auto& voice = who_.app->voice;
    turns_.set({.turns = terms.turns,
                .barge_in = voice.barge_in,
                .interrupts_at_once = terms.interrupts_at_once,
                .has_model = parts_.speech != nullptr && parts_.speech->end_of_turn() != nullptr,
                .transcript = parts_.timing.transcript});
    silences_.set({.dead_air = terms.speaks ? voice.dead_air : std::nullopt,
                   .visitor_silent = terms.speaks ? voice.visitor_silent : std::nullopt,
                   .idle_timeout = terms.turns.idle_timeout});
  }

  void act(turn_taking::actions actions) {
    for (auto& action : actions)
      std::visit([this](auto& what) { perform(what); }, action);
    plan();
  }

  void perform(const let_go_on& go) {
    parts_.count->add(counter::holds_released);
    self_->send(seat_.holder, playout_order{playout_command::release, go.item});
  }

  void perform(const break_off& end) {
    parts_.count->add(counter::interruptions);
    self_->send(seat_.holder, playout_order{playout_command::drop, end.playing.item});
    self_->request(session_, command_deadline, interrupt_speech{end.playing, "turn_detected"})
      .then([](const accepted&) {},
            // It had ended by itself meanwhile.
            [](const caf::error&) {});
  }

  void perform(take_turn& turn) {
    self_->send(seat_.holder, turn.why);
    unanswered_.push_back({.number = ++commands_, .what = std::move(turn)});
    submit(unanswered_.back());
  }

  void perform(const drop_noise& noise) {
    parts_.count->add(counter::utterances_dropped);
    settle(noise.utterance, true);
    on_nothing_said();
  }

  void perform(take_words& words) {
    auto response = words.answer ? parts_.ids->make("resp_") : std::string{};
    ledger_.asked(words.utterance, response);
    // Words that only say "go on" leave the silence after the answer as it was.
    if (words.answer || (!words.text.empty() && !words.playing.audible))
      silences_.on_visitor();
    else
      on_nothing_said();
    unanswered_.push_back(
      {.number = ++commands_, .what = std::move(words), .response = std::move(response)});
    submit(unanswered_.back());
  }

  void perform(ask_model& ask) {
    auto* model = parts_.speech != nullptr ? parts_.speech->end_of_turn() : nullptr;
    if (model != nullptr && ask.tail)
      model->ask(who_.app->id, *ask.tail,
                 [me = audio_inner{self_}, utterance = ask.utterance](result<float> probability) {
                   caf::anon_send(me, turn_judged{utterance, std::move(probability)});
                 });
  }

  void perform(const close_turn& close) {
    self_->send(seat_.holder, close.why);
  }

  void perform(const ask_other_engine& other) {
    self_->send(session_, transcript_overdue{other.utterance});
  }

  void submit(pending& command) {
    // Turns are taken in their order: what lies before a turn in the journal has been dealt with.
    if (std::holds_alternative<take_turn>(command.what) && first_turn() != &command)
      return;
    ++command.tries;
    const auto number = command.number;
    if (const auto* turn = std::get_if<take_turn>(&command.what)) {
      self_
        ->request(session_, command_deadline,
                  commit_speech{turn->utterance, turn->stream, turn->from_ms, turn->to_ms})
        .then(
          [this, number, utterance = turn->utterance](const speech_committed& as) {
            done(number);
            act(turns_.on_committed(utterance, as, parts_.where->now()));
          },
          [this, number](const caf::error& why) { refused(number, why); });
      return;
    }
    const auto& words = std::get<take_words>(command.what);
    self_
      ->request(session_, command_deadline,
                put_transcript{words.utterance, words.text, words.reason, words.answer,
                               command.response, words.playing})
      .then([this, number](const accepted&) { done(number); },
            [this, number](const caf::error& why) { refused(number, why); });
  }

  void done(std::uint64_t number) {
    std::erase_if(unanswered_, [number](const pending& p) { return p.number == number; });
    if (auto* next = first_turn(); next != nullptr && next->tries == 0)
      submit(*next);
  }

  /// The oldest turn that the session has not taken; null: none waits.
  pending* first_turn() {
    for (auto& command : unanswered_)
      if (std::holds_alternative<take_turn>(command.what))
        return &command;
    return nullptr;
  }

  /// The store may be away for a moment: it is asked again, and the sound is kept meanwhile.
  void refused(std::uint64_t number, const caf::error& why) {
    const auto fault = from_caf(why);
    for (auto& command : unanswered_) {
      if (command.number != number)
        continue;
      if (fault.code == errc::not_found || fault.code == errc::invalid
          || command.tries >= tries_max) {
        log(log_level::warning, "audio.refused",
            {{"session", who_.id}, {"reason", fault.reason}, {"detail", fault.detail}});
        return done(number);
      }
      self_->delayed_send(self_, retry_pause, send_again{number});
      return;
    }
  }

  void settle(const std::string& item, bool dropped) {
    turn_taking::actions rest;
    for (auto& utterance : turns_.on_settled(item, rest))
      self_->send(seat_.holder, utterance_settled{std::move(utterance), dropped});
    act(std::move(rest));
  }

  void on_nothing_said() {
    if (!turns_.is_open())
      silences_.on_noise();
  }

  void fill() {
    log(log_level::info, "audio.dead_air", {{"session", who_.id}});
    parts_.count->add(counter::dead_air);
    self_->send(session_, say_filler{parts_.ids->make("filler_"), who_.app->voice.dead_air->say});
  }

  void prompt(const std::string& say) {
    prompt_ = parts_.ids->make("resp_");
    self_->request(session_, command_deadline, request_prompt{prompt_, say})
      .then([](const accepted&) {},
            // An answer has begun meanwhile: nobody need be prompted.
            [](const caf::error&) {});
  }

  /// One look at a time is planned: at the first thing that is due.
  void plan() {
    auto next = turns_.next();
    if (const auto silence = silences_.next(); silence && (!next || *silence < *next))
      next = silence;
    if (!next || (planned_ && *planned_ <= *next))
      return;
    planned_ = next;
    const auto left = std::max(*next - parts_.where->now(), loop::clock::duration::zero());
    self_->delayed_send(self_, std::chrono::ceil<std::chrono::milliseconds>(left), look{++looks_});
  }

  audio_inner::pointer self_;
  node_parts parts_;
  find_session who_;
  session_actor session_;
  start_voice seat_;
  turn_taking turns_;
  silence_watch silences_;
  turn_ledger ledger_;
  /// The newest run and its item.
  std::string response_;
  std::string response_of_;
  /// The newest response that we have asked for ourselves.
  std::string prompt_;
  std::deque<pending> unanswered_;
  std::uint64_t commands_ = 0;
  std::uint64_t looks_ = 0;
  std::optional<loop::clock::time_point> planned_;
};

audio_inner::behavior_type audio_behavior(audio_inner::stateful_pointer<audio_state> self,
                                          const node_parts& parts, const find_session& who,
                                          const session_actor& session, const start_voice& seat) {
  take_pulse(self, parts, "audio", who.id);
  auto& s = self->state;
  s.start(parts, who, session, seat);
  return {
    [&s](const speech_edge& edge) { s.on_edge(edge); },
    [&s](const playout_report& report) { s.on_playout(report); },
    [&s](const utterance_text& text) { s.on_text(text); },
    [&s](const published& batch) { s.on_published(batch); },
    [&s](const answer_delta& piece) { s.on_delta(piece); },
    [](const notice&) {},
    [](const move_away&) {},
    [](const tool_call&) {},
    [](const tool_cancelled&) {},
    [&s](const change_seat& change) { s.on_terms(change); },
    [&s](const turn_judged& judged) { s.on_judged(judged); },
    [&s](const look& at) { s.on_look(at); },
    [&s](const send_again& again) { s.on_again(again); },
  };
}

} // namespace

audio_actor spawn_audio(caf::actor_system& sys, const node_parts& parts, const find_session& who,
                        const session_actor& session, const start_voice& seat) {
  return sys.spawn(audio_behavior, parts, who, session, seat);
}

} // namespace sidevoice
