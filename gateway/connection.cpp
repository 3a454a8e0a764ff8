#include "gateway/connection.hpp"

#include "config/log.hpp"
#include "gateway/connection_state.hpp"

#include <exception>
#include <utility>

namespace sidevoice {

namespace {

caf::error log_crash(const std::string& session, std::exception_ptr& thrown) {
  std::string what = "unknown";
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& e) {
    what = e.what();
  } catch (...) {
    // Nothing more is known of it.
  }
  log(log_level::error, "connection.crashed", {{"session", session}, {"what", what}});
  return caf::sec::runtime_error;
}

} // namespace

connection_state::connection_state(connection_inner::pointer self) : self_{self} {}

connection_state::~connection_state() {
  // Only a crash comes here with its parts: the socket is of no use to the client any more.
  if (parts_) {
    // No farewell of the voice: nothing can be sent any more, and the session sees the end.
    parts_->link->close(1011, "internal error");
    count(counter::connections_closed);
  }
}

void connection_state::start(connection_parts_ptr parts) {
  parts_ = std::move(parts);
  where_ = parts_->where;
  count(counter::connections_opened);
  self_->set_down_handler([this](const caf::down_msg& down) { on_down(down); });
  self_->set_exit_handler([this](const caf::exit_msg& why) {
    if (parts_)
      close(1012, "the server is restarting; come back in a moment");
    self_->quit(why.reason);
  });
  self_->set_exception_handler(
    [session = where_.id](std::exception_ptr& thrown) { return log_crash(session, thrown); });
  voice_ = std::make_unique<connection_voice>(
    self_, parts_,
    connection_voice::hands{.perform =
                              [this](codec_actions actions) { perform(std::move(actions)); },
                            .send =
                              [this](send_command what) {
                                if (parts_)
                                  act(what);
                              },
                            .search =
                              [this] {
                                // Not attached yet is not away.
                                if (parts_ && !session_)
                                  search(false);
                              }});
  // At once and not by a message to itself: frames may wait in the mailbox already.
  on_begin();
}

void connection_state::on_begin() {
  session_ = std::exchange(parts_->session, nullptr);
  if (session_)
    self_->monitor(session_);
  perform(parts_->codec->on_open());
}

void connection_state::on_frame(const client_frame& frame) {
  count(counter::frames_in);
  const auto parts = parts_;
  perform(frame.binary || !frame.text ? parts->codec->on_binary()
                                      : parts->codec->on_frame(*frame.text));
  parts->link->consumed();
}

void connection_state::on_gone() {
  finish();
}

void connection_state::on_published(const published& batch) {
  perform(parts_->codec->on_published(batch));
  voice_->on_published(batch);
}

void connection_state::on_delta(const answer_delta& delta) {
  auto actions = parts_->codec->on_delta(delta);
  if (actions.empty())
    count(counter::ephemeral_dropped);
  perform(std::move(actions));
}

void connection_state::on_notice(const notice& what) {
  perform(parts_->codec->on_notice(what));
}

void connection_state::on_move(const move_away& where) {
  if (!parts_)
    return;
  perform(parts_->codec->on_move(where));
  if (!parts_)
    return;
  close(1012, "the server is restarting; come back in a moment");
  self_->quit(caf::exit_reason::normal);
}

void connection_state::on_leave(const leave_server& how) {
  if (how.attached || !session_)
    on_move({how.reconnect_in});
}

void connection_state::on_tool_call(const tool_call& call) {
  perform(parts_->codec->on_tool_call(call));
}

void connection_state::on_tool_cancelled(const tool_cancelled& call) {
  perform(parts_->codec->on_tool_cancelled(call));
}

void connection_state::count(counter which) {
  if (parts_ && parts_->count != nullptr)
    parts_->count->add(which);
}

void connection_state::perform(codec_actions actions) {
  for (auto& action : actions) {
    // Closed by an earlier one.
    if (!parts_)
      return;
    std::visit([this](auto& what) { act(what); }, action);
  }
}

void connection_state::act(send_frame& frame) {
  count(counter::frames_out);
  if (frame.refusal)
    count(counter::frames_refused);
  // False: the client does not read, and its link closes the socket by itself.
  if (!parts_->link->send(std::move(frame.text)))
    finish();
}

void connection_state::act(const close_socket& how) {
  close(how.code, how.reason);
  self_->quit(caf::exit_reason::normal);
}

void connection_state::act(const attach_session& how) {
  wanted_ = how;
  if (session_)
    attach_now();
  else
    search(false);
}

void connection_state::act(send_command& what) {
  // It may end the answer that is being spoken: how far that was heard comes before it.
  voice_->tell_heard();
  if (voice_->defers(what))
    return;
  unanswered_.push_back({what.token, std::move(what.command), 0});
  if (session_)
    send(unanswered_.back());
  else
    search(false);
}

void connection_state::act(const offer_names& offer) {
  offers_ = offer.names;
  if (attached_)
    send_offer();
}

void connection_state::act(const set_voice& how) {
  voice_->set(how);
}

void connection_state::act(const ask_seat& wish) {
  voice_->ask(wish);
}

void connection_state::act(const give_seat&) {
  voice_->give();
}

void connection_state::act(sound_in& in) {
  voice_->take(std::move(in));
}

void connection_state::act(const commit_sound& wish) {
  voice_->commit(wish);
}

void connection_state::act(const clear_sound&) {
  voice_->clear();
}

void connection_state::act(const client_played& report) {
  voice_->played(report);
}

void connection_state::act(const truncate_item& wish) {
  voice_->truncate(wish);
}

void connection_state::close(std::uint16_t code, const std::string& reason) {
  voice_->stop();
  parts_->link->close(code, reason);
  count(counter::connections_closed);
  parts_ = nullptr;
}

void connection_state::finish() {
  if (!parts_)
    return;
  voice_->stop();
  count(counter::connections_closed);
  parts_ = nullptr;
  self_->quit(caf::exit_reason::normal);
}

namespace {

connection_inner::behavior_type
connection(connection_inner::stateful_pointer<connection_state> self,
           const connection_parts_ptr& parts) {
  auto* state = &self->state;
  state->start(parts);
  // A client that does not read even the greeting: what quits here must not begin to behave.
  if (!state->is_open())
    return connection_inner::behavior_type::make_empty_behavior();
  return {
    [state](const published& batch) { state->on_published(batch); },
    [state](const answer_delta& delta) { state->on_delta(delta); },
    [state](const notice& what) { state->on_notice(what); },
    [state](const move_away& where) { state->on_move(where); },
    [state](const tool_call& call) { state->on_tool_call(call); },
    [state](const tool_cancelled& call) { state->on_tool_cancelled(call); },
    [state](const leave_server& how) { state->on_leave(how); },
    [state](const client_frame& frame) { state->on_frame(frame); },
    [state](const client_gone&) { state->on_gone(); },
    [state](const voice_team& team) { state->voice().on(team); },
    [state](const voice_feed& feed) { state->voice().on(feed); },
    [state](const live_words& words) { state->voice().on(words); },
    [state](const speech_sound& piece) { state->voice().on(piece); },
    [state](const playout_order& order) { state->voice().on(order); },
    [state](const utterance_settled& which) { state->voice().on(which); },
    [state](const turn_over& turn) { state->voice().on(turn); },
    [state](const seat_lost& loss) { state->voice().on(loss); },
    [state](const search_again& again) { state->on_search_again(again); },
    [state](const search_over& over) { state->on_search_over(over); },
    [state](const sound_due& due) { state->voice().on(due); },
    [state](const commit_overdue& overdue) { state->voice().on(overdue); },
  };
}

} // namespace

connection_actor spawn_connection(caf::actor_system& sys, connection_parts_ptr parts) {
  return sys.spawn(connection, std::move(parts));
}

} // namespace sidevoice
