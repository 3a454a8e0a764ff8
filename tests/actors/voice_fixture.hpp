#pragma once

#include "actors/session.hpp"
#include "tests/actors/hand_store.hpp"
#include "tests/lab/lab_loop.hpp"

// The test framework uses it without defining it.
#ifndef FAIL
#  define FAIL CAF_FAIL
#endif
#include <caf/test/dsl.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

/// A session with somebody in its voice seat; round it everything is scripted.
namespace voice_fixture {

using namespace sidevoice;
using namespace std::chrono_literals;

/// An engine that exists and is never asked.
class idle_stt final : public stt_provider {
public:
  result<std::unique_ptr<stt_stream>> open(stt_request, stt_sink) override {
    return error{errc::unavailable, "nobody listens here", {}, "idle"};
  }
};
class idle_tts final : public tts_provider {
public:
  result<std::unique_ptr<tts_stream>> open(tts_request, tts_sink) override {
    return error{errc::unavailable, "nobody speaks here", {}, "idle"};
  }
};

/// What the holder of a seat was told.
struct holder_notes {
  std::vector<std::string> lost;
  std::vector<playout_order> orders;
  std::vector<utterance_settled> settled;
  std::vector<turn_over> turns;
  std::vector<std::uint64_t> teams;
  std::vector<std::shared_ptr<stt_stream>> feeds;
};

inline seat_actor::behavior_type holder(seat_actor::pointer self, holder_notes* n) {
  return {[=](const voice_team& team) { n->teams.push_back(team.seat); },
          [=](const voice_feed& feed) { n->feeds.push_back(feed.stream); },
          [](const live_words&) {},
          [](const speech_sound&) {},
          [=](const playout_order& order) { n->orders.push_back(order); },
          [=](const utterance_settled& which) { n->settled.push_back(which); },
          [=](const turn_over& turn) { n->turns.push_back(turn); },
          [=](const seat_lost& lost) {
            n->lost.push_back(lost.reason);
            // Only for tests of a holder that goes for good.
            if (lost.reason == "test")
              self->quit();
          }};
}

/// "start 1", "stop 1", in their order.
struct keeper_notes {
  std::vector<std::string> orders;
  std::vector<start_voice> started;
};

inline voice_keeper::behavior_type keeper(voice_keeper::pointer, keeper_notes* n) {
  return {[=](const start_voice& seat) {
            n->orders.push_back("start " + std::to_string(seat.seat));
            n->started.push_back(seat);
          },
          [=](const stop_voice& seat) {
            n->orders.push_back("stop " + std::to_string(seat.seat));
          }};
}

struct tts_notes {
  std::vector<speech_open> opened;
  std::vector<text_complete> complete;
  std::vector<say_filler> fillers;
};

inline tts_actor::behavior_type voice(tts_actor::pointer, tts_notes* n) {
  return {[](const published&) {},
          [](const answer_delta&) {},
          [](const notice&) {},
          [](const move_away&) {},
          [](const tool_call&) {},
          [](const tool_cancelled&) {},
          [=](const speech_open& open) { n->opened.push_back(open); },
          [=](const text_complete& text) { n->complete.push_back(text); },
          [=](const say_filler& filler) { n->fillers.push_back(filler); },
          [](const change_seat&) {},
          [](const want_speech&) {},
          [](const speak_from&) {}};
}

struct runner_notes {
  std::vector<run_response> runs;
  std::vector<std::string> cancelled;
};

inline runner_actor::behavior_type runner(runner_actor::pointer, runner_notes* n) {
  return {[=](const run_response& run) { n->runs.push_back(run); },
          [=](const cancel_run& run) { n->cancelled.push_back(run.item); }, [](const run_call&) {},
          [](const cancel_call&) {}};
}

/// What came of a request.
template <class Answer>
struct outcome {
  std::optional<Answer> value;
  std::optional<error> why;

  [[nodiscard]] bool answered() const {
    return value || why;
  }
  [[nodiscard]] std::string reason() const {
    return why ? why->reason : "";
  }
};

struct config : caf::actor_system_config {};

struct fixture : test_coordinator_fixture<config> {
  fixture() : where{[this] { return sched.clock().now(); }} {
    app->id = "app";
    app->stt_models = app->tts_models = {{"local", "", R"({"vendor":"local"})"}};
    app->voice.visitor_silent = visitor_silent_settings{20s, "Are you there?", 2};
    app->voice.dead_air = dead_air_settings{2500ms, "One moment."};
    providers.add_stt("local", [](const provider_context&, const json_text&) {
      return result<std::unique_ptr<stt_provider>>{std::make_unique<idle_stt>()};
    });
    providers.add_tts("local", [](const provider_context&, const json_text&) {
      return result<std::unique_ptr<tts_provider>>{std::make_unique<idle_tts>()};
    });
    parts = {.journal = &journal,
             .providers = &providers,
             .seats = &seats,
             .where = &where,
             .ids = &ids,
             .count = &count,
             .node = "n1"};
  }

  /// Actors end before what they point to.
  ~fixture() {
    for (const auto& one : mine)
      caf::anon_send_exit(one, caf::exit_reason::kill);
    sched.run();
  }

  template <class Handle>
  Handle keep(Handle handle) {
    mine.push_back(caf::actor_cast<caf::actor>(handle));
    return handle;
  }

  void begin() {
    session = keep(spawn_session(sys, parts, {.app = app, .id = "sess_1", .create = true}));
    tell(session, keep(sys.spawn(voice_fixture::keeper, &kept)));
    tell(session, join_runner{keep(sys.spawn(voice_fixture::runner, &ran))});
    settle();
  }

  template <class Handle, class Message>
  void tell(const Handle& to, Message message) {
    caf::anon_send(to, std::move(message));
    sched.run();
  }

  /// The store does one group of what waits.
  void turn(std::optional<errc> why = std::nullopt) {
    journal.turn(why);
    sched.run();
  }
  /// And all of it.
  void settle() {
    sched.run();
    while (!journal.waiting.empty())
      turn();
  }
  void pass(std::chrono::milliseconds time) {
    sched.advance_time(time);
    sched.run();
  }

  template <class Answer, class Message>
  std::shared_ptr<outcome<Answer>> ask(Message message) {
    auto seen = std::make_shared<outcome<Answer>>();
    sys.spawn([seen, to = session, message = std::move(message)](caf::event_based_actor* asker) {
      asker->request(to, 3600s, message)
        .then([seen](const Answer& answer) { seen->value = answer; },
              [seen](const caf::error& e) { seen->why = from_caf(e); });
    });
    sched.run();
    return seen;
  }
  template <class Message>
  std::shared_ptr<outcome<accepted>> command(Message message) {
    auto seen = ask<accepted>(std::move(message));
    settle();
    return seen;
  }

  seat_actor new_holder(holder_notes& notes) {
    return keep(sys.spawn(voice_fixture::holder, &notes));
  }
  std::shared_ptr<outcome<seat_taken>> take(const seat_actor& who, seat_terms terms = {}) {
    return ask<seat_taken>(take_seat{who, std::move(terms)});
  }
  /// The number of the seat that `who` takes; 0 when it gets none.
  std::uint64_t seat_of(const seat_actor& who) {
    const auto seen = take(who);
    return seen->value ? seen->value->seat : 0;
  }
  /// Takes the seat, with a voice.
  void sit(seat_terms terms = {}) {
    me = new_holder(notes);
    CAF_REQUIRE(take(me, std::move(terms))->value);
    tts = keep(sys.spawn(voice, &said));
    tell(session, join_voice{kept.started.back().seat, tts});
  }

  std::shared_ptr<outcome<speech_committed>> commit(const std::string& item, std::uint64_t from = 0,
                                                    std::uint64_t to = 1000) {
    return ask<speech_committed>(commit_speech{item, "mic", from, to});
  }
  std::shared_ptr<outcome<accepted>> words(const std::string& item, const std::string& text,
                                           bool answer, playout_point playing = {},
                                           const std::string& reason = {}) {
    return command(
      put_transcript{item, text, reason, answer, answer ? "resp_" + item : "", std::move(playing)});
  }

  /// A typed input that asks for an answer.
  void type(const std::string& id) {
    put_item put;
    put.value.id = id;
    put.value.text = "words";
    put.answer = true;
    put.response = "resp_" + id;
    CAF_REQUIRE(command(std::move(put))->value);
  }

  const run_response& run() const {
    CAF_REQUIRE(!ran.runs.empty());
    return ran.runs.back();
  }
  /// The newest run says this, a clause at a time.
  void answer(const std::vector<std::string>& clauses) {
    std::uint32_t n = 0;
    for (const auto& text : clauses) {
      ++n;
      tell(session, answer_delta{run().response, run().attempt, run().item, n, n, text});
    }
    settle();
  }
  /// And ends.
  void done() {
    answer_done end;
    end.response = run().response;
    end.attempt = run().attempt;
    end.run = run().item;
    tell(session, std::move(end));
    settle();
  }
  playout_point heard(std::size_t text, std::uint32_t ms) const {
    return {.item = run().item,
            .sent_ms = ms + 200,
            .played_ms = ms,
            .heard_text = text,
            .audible = true};
  }
  void sent_all(std::uint32_t ms) {
    playout_report report;
    report.point = {.item = run().item, .sent_ms = ms, .played_ms = ms, .heard_text = 1000};
    report.sent_all = true;
    tell(session, report);
    settle();
  }

  /// The state at the durable head.
  view_ptr view() {
    auto seen = std::make_shared<view_ptr>();
    sys.spawn([seen, to = session](caf::event_based_actor* asker) {
      asker->request(to, 3600s, view_atom::value).then([seen](const attached& state) {
        *seen = state.view;
      });
    });
    sched.run();
    CAF_REQUIRE(*seen);
    return *seen;
  }
  item item_of(const std::string& id) {
    const auto now = view();
    const auto* found = now->find_item(id);
    CAF_REQUIRE(found != nullptr);
    return found->value;
  }
  response_state closed(const std::string& id) {
    const auto now = view();
    const auto* found = now->find_response(id);
    CAF_REQUIRE(found != nullptr);
    CAF_REQUIRE(found->phase == response_phase::done);
    return *found;
  }

  std::shared_ptr<app_definition> app = std::make_shared<app_definition>();
  catalogue providers;
  seat_register seats;
  counters count;
  counted_ids ids{1};
  hand_store journal;
  lab::lab_loop where;
  node_parts parts;
  holder_notes notes;
  keeper_notes kept;
  tts_notes said;
  runner_notes ran;
  session_actor session;
  seat_actor me;
  tts_actor tts;
  std::vector<caf::actor> mine;
};

struct voice_session : fixture {
  voice_session() {
    begin();
  }

  /// An answer of two sentences is being spoken.
  void speak() {
    type("in_0");
    answer({"Good morning. ", "We come at eight."});
  }
};

} // namespace voice_fixture
