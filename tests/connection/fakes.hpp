#pragma once

#include "gateway/connection.hpp"

#include <deque>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Everything round one connection, scripted: its client, its codec, its session, the directory.
namespace connection_fakes {

using namespace sidevoice;

/// What a client was told.
class recording_link final : public client_link {
public:
  bool send(std::string text) override {
    frames.push_back(std::move(text));
    return reads;
  }
  void close(std::uint16_t code, std::string) override {
    closed.push_back(code);
  }
  void consumed() override {
    ++credits;
  }

  std::vector<std::string> frames;
  std::vector<std::uint16_t> closed;
  int credits = 0;
  bool reads = true;
};

/// Says what it was asked in plain words. A frame "get ID" becomes a command; "bad" an error.
class plain_codec final : public client_codec {
public:
  codec_actions on_open() override {
    return {send_frame{"hello"}, attach_session{0, true}};
  }
  codec_actions on_frame(std::string_view text) override {
    if (text == "bad")
      return {send_frame{"error", true}};
    if (text == "bye")
      return {close_socket{1000, "bye"}, send_frame{"never sent"}};
    if (text == "offer")
      return {offer_names{{"show", "draw"}}};
    if (auto wishes = voice_wishes(std::string{text}); !wishes.empty())
      return wishes;
    return {send_command{next_++, get_item{std::string{text}}}};
  }
  /// "mic STREAM FROM", "give", "loud MS", "quiet MS", "commit ID", "clear", "played ITEM MS",
  /// "truncate ITEM MS".
  codec_actions voice_wishes(const std::string& text) {
    std::istringstream in{text};
    std::string what;
    std::string name;
    std::uint32_t ms = 0;
    in >> what;
    if (what == "loud" || what == "quiet") {
      in >> ms;
      return {sound_in{samples(ms * 16, what == "loud" ? 1000 : 0), 16'000}};
    }
    in >> name >> ms;
    if (what == "mic") {
      seat_terms terms;
      terms.turns = turns;
      terms.voice = "cedar";
      return {set_voice{.terms = terms,
                        .pace = {16'000, std::chrono::milliseconds{200},
                                 std::chrono::milliseconds{60}, true}},
              ask_seat{name, ms}};
    }
    if (what == "give")
      return {give_seat{}};
    if (what == "commit")
      return {commit_sound{name}};
    if (what == "clear")
      return {clear_sound{}};
    if (what == "played")
      return {client_played{name, ms}};
    if (what == "truncate")
      return {truncate_item{next_++, name, ms}};
    return {};
  }
  codec_actions on_binary() override {
    return {send_frame{"binary", true}};
  }
  codec_actions on_attached(const attached& state) override {
    seq_ = state.view->head;
    return {send_frame{"attached " + std::to_string(seq_)}};
  }
  codec_actions on_attach_refused(const error& why) override {
    return {send_frame{"refused: " + why.detail, true}, close_socket{1013, "later"}};
  }
  codec_actions on_published(const published& batch) override {
    seq_ = batch.events.back()->seq;
    return {send_frame{"published " + std::to_string(seq_)}};
  }
  codec_actions on_delta(const answer_delta& delta) override {
    if (delta.text.empty())
      return {};
    return {send_frame{delta.text}};
  }
  codec_actions on_move(const move_away& where) override {
    return {send_frame{"moves in " + std::to_string(where.reconnect_in.count())}};
  }
  codec_actions on_notice(const notice& what) override {
    return {send_frame{what.text}};
  }
  codec_actions on_tool_call(const tool_call& call) override {
    return {send_frame{"call " + call.call}};
  }
  codec_actions on_tool_cancelled(const tool_cancelled& call) override {
    return {send_frame{"cancelled " + call.call}};
  }
  codec_actions on_accepted(std::uint64_t token, const accepted&) override {
    return {send_frame{"accepted " + std::to_string(token)}};
  }
  codec_actions on_refused(std::uint64_t token, const error& why) override {
    return {send_frame{"refused " + std::to_string(token) + ": " + why.detail, true}};
  }
  codec_actions on_lost(std::uint64_t token) override {
    return {send_frame{"lost " + std::to_string(token), true}};
  }
  codec_actions on_seat(const std::string& state, const error& why) override {
    return {send_frame{"seat " + state + (why.reason.empty() ? "" : " " + why.reason)}};
  }
  codec_actions on_speech(const speech_edge& edge) override {
    return {send_frame{(edge.kind == edge_kind::begun ? "begun " : "ended ") + edge.utterance}};
  }
  codec_actions on_commit_refused(const std::string& event_id) override {
    return {send_frame{"not committed " + event_id, true}};
  }
  codec_actions on_cleared() override {
    return {send_frame{"cleared"}};
  }
  codec_actions on_sound(const sound_frame& frame) override {
    if (frame.data.empty())
      return {};
    return {send_frame{"sound " + frame.item + " " + std::to_string(frame.from_ms)}};
  }
  codec_actions on_held(const std::string& item, bool held) override {
    return {send_frame{(held ? "held " : "released ") + item}};
  }
  codec_actions on_live_words(const live_words& words) override {
    return {send_frame{"words " + words.text}};
  }
  codec_actions on_turn_over(const turn_over& turn) override {
    return {send_frame{"turn over " + turn.why}};
  }
  codec_actions on_acknowledged(const std::string& stream, std::uint64_t to_ms) override {
    return {send_frame{"acknowledged " + stream + " " + std::to_string(to_ms)}};
  }
  codec_actions on_probe(const speech_probe&) override {
    return {send_frame{"probe"}};
  }
  [[nodiscard]] std::uint64_t last_seq() const override {
    return seq_;
  }

  turn_settings turns;

private:
  std::uint64_t next_ = 1;
  std::uint64_t seq_ = 0;
};

/// What the session and the directory are to do, and what they were asked; shared with the actors.
struct script {
  std::uint64_t head = 5;
  /// Ids of items on which the session crashes, stays silent or says no.
  std::string crash_on;
  std::string silent_on;
  std::string refuse_on;
  bool refuse_attach = false;
  /// Answers of a session that goes before it has given them.
  bool silent_attach = false;
  std::vector<caf::typed_response_promise<attached>> owed;
  bool away = false;
  session_actor session;
  std::vector<std::string> asked;
  int found = 0;

  // The voice seat.
  bool silent_seat = false;
  bool refuse_seat = false;
  /// Who owes the answers of a session that is silent.
  caf::actor seat_debtor;
  std::uint64_t seats = 0;
  std::vector<seat_terms> terms;
  seat_actor holder;
  std::vector<playout_report> reports;
  std::vector<hear_item> heard;
  std::deque<stream_position> streams;
  std::vector<stored_item_ptr> items;
};

/// Owes an answer to whoever asks for a seat, until it is told a number.
inline caf::behavior seat_debtor(caf::event_based_actor* self) {
  self->set_default_handler(caf::skip);
  return {[self](std::uint64_t seat) {
    self->become([seat](const take_seat&) { return seat_taken{seat}; });
  }};
}

inline session_actor::behavior_type fake_session(session_actor::pointer self, script* s) {
  const auto take = [](const auto&) -> caf::result<accepted> { return accepted{}; };
  return {[=](const attach& how) -> caf::result<attached> {
            s->asked.push_back(how.snapshot ? "snapshot" : "after " + std::to_string(how.after));
            if (s->silent_attach) {
              s->owed.push_back(self->make_response_promise<attached>());
              return s->owed.back();
            }
            if (s->refuse_attach)
              return to_caf({errc::unavailable, "no store", {}, {}});
            auto view = std::make_shared<session_view>();
            view->head = s->head;
            view->streams = s->streams;
            view->items = s->items;
            return attached{view, {}, nullptr, how.snapshot, {}, "store"};
          },
          [=](const put_item& x) { return take(x); },
          [=](const remove_item& x) { return take(x); },
          [=](const get_item& command) -> caf::result<accepted> {
            s->asked.push_back(command.id);
            if (command.id == s->crash_on)
              throw std::runtime_error("as the script says");
            if (command.id == s->silent_on)
              return self->make_response_promise<accepted>();
            if (command.id == s->refuse_on)
              return to_caf({errc::not_found, "no such item", {}, {}});
            return accepted{};
          },
          [=](const request_response& x) { return take(x); },
          [=](const cancel_response& x) { return take(x); },
          [=](const edit_topic& x) { return take(x); },
          [=](const undo_topic& x) { return take(x); },
          [=](const answer_call& x) { return take(x); },
          [=](const answer_approval& x) { return take(x); },
          [=](const end_session&) -> caf::result<accepted> {
            self->quit(caf::exit_reason::normal);
            return accepted{};
          },
          [=](const offer_tools& offer) {
            std::string names = "offer";
            for (const auto& name : offer.names)
              names += " " + name;
            s->asked.push_back(names);
          },
          [=](const take_seat& request) -> caf::result<seat_taken> {
            s->terms.push_back(request.terms);
            s->holder = request.who;
            s->asked.emplace_back("seat");
            if (s->silent_seat)
              return self->delegate(
                caf::actor_cast<caf::typed_actor<caf::replies_to<take_seat>::with<seat_taken>>>(
                  s->seat_debtor),
                request);
            if (s->refuse_seat)
              return to_caf({errc::overloaded, "all taken", {}, "voice_sessions"});
            return seat_taken{++s->seats};
          },
          [=](const change_seat& change) {
            s->terms.push_back(change.terms);
            s->asked.push_back("change " + std::to_string(change.seat));
          },
          [=](const leave_seat& leave) {
            s->asked.push_back("leave " + std::to_string(leave.seat));
          },
          [=](const playout_report& report) { s->reports.push_back(report); },
          [=](const hear_item& command) -> caf::result<accepted> {
            s->heard.push_back(command);
            return accepted{};
          },
          [](const interrupt_speech&) { return accepted{}; },
          [](const voice_keeper&) {},
          [](const join_voice&) {},
          [](const commit_speech&) { return speech_committed{}; },
          [](const put_transcript&) { return accepted{}; },
          [](const request_prompt&) { return accepted{}; },
          [](const turn_measured&) {},
          [](const transcript_overdue&) {},
          [](const say_filler&) {},
          [](const join_runner&) {},
          [](const answer_delta&) {},
          [](const answer_done&) {},
          [](const call_done&) {},
          [](const propose_topics&) { return analysis_taken{}; },
          [](const notice&) {},
          [](const drain_session&) {},
          [=](view_atom) { return attached{}; }};
}

inline directory_actor::behavior_type fake_directory(directory_actor::pointer self, script* s) {
  return {[=](const find_session& who) -> caf::result<session_actor> {
            ++s->found;
            s->asked.push_back(who.create ? "find or create" : "find");
            if (s->away)
              return to_caf({errc::unavailable, "starting", {}, {}});
            s->session = self->system().spawn(fake_session, s);
            return s->session;
          },
          [](tree_atom) { return tree_report{}; }, [](const drain_session&) {},
          [](const fault_order&) {}, [](stop_atom) {}};
}

} // namespace connection_fakes
