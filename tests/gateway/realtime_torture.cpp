#include "tests/gateway/realtime_torture.hpp"

#include "config/ids.hpp"
#include "gateway/protocol_realtime.hpp"
#include "persistence/rank.hpp"
#include "tests/gateway/realtime_checker.hpp"

#include <deque>
#include <memory>

namespace {

using namespace sidevoice;

/// Says yes to everything that makes sense, and answers at once.
class obliging_session {
public:
  obliging_session(bool extensions, bool speaks) : checker_(extensions) {
    auto app = std::make_shared<app_definition>();
    app->id = "app";
    app->topics = {topic_declaration{.id = "date", .label = "Date"}};
    tool_declaration show;
    show.name = "show";
    app->tools = {show};
    app->conversation_tools = {"show"};
    codec_ = make_protocol_realtime({.app = app,
                                     .session = "sess_1",
                                     .extensions = extensions,
                                     .ids = &ids_,
                                     .hears = speaks,
                                     .speaks = speaks});
    journal({session_started{"app", "user", "release", "en", "UTC"}});
    take(codec_->on_open());
  }

  void frame(std::string_view text) {
    take(text == "\x01" ? codec_->on_binary() : codec_->on_frame(text));
    while (!commands_.empty()) {
      auto next = std::move(commands_.front());
      commands_.pop_front();
      std::visit([&](const auto& command) { run(next.token, command); }, next.command);
    }
  }

  [[nodiscard]] std::string faults() const {
    std::string out;
    for (const auto& fault : checker_.faults)
      out += fault + "\n";
    return out;
  }

private:
  void take(codec_actions actions) {
    for (auto& action : actions) {
      if (const auto* sent = std::get_if<send_frame>(&action))
        checker_.take(nlohmann::json::parse(sent->text));
      else if (const auto* how = std::get_if<attach_session>(&action))
        attach(*how);
      else if (auto* what = std::get_if<send_command>(&action))
        commands_.push_back(std::move(*what));
      else
        voice_.push_back(std::move(action));
    }
    while (!voice_.empty()) {
      auto next = std::move(voice_.front());
      voice_.pop_front();
      hear(next);
    }
  }

  /// The voice side of a connection: the seat is had at once, and what is committed is understood.
  void hear(const codec_action& action) {
    if (std::holds_alternative<ask_seat>(action)) {
      seated_ = true;
      take(codec_->on_seat("yours", {}));
      take(codec_->on_acknowledged("mic", 0));
    } else if (std::holds_alternative<give_seat>(action)) {
      seated_ = false;
      take(codec_->on_seat("free", {}));
    } else if (const auto* in = std::get_if<sound_in>(&action)) {
      buffered_ += sound_ms(in->data.size(), in->rate);
      take(codec_->on_probe({buffered_, 1, true}));
    } else if (const auto* wish = std::get_if<commit_sound>(&action)) {
      if (buffered_ < 100)
        return take(codec_->on_commit_refused(wish->event_id));
      speak();
    } else if (std::holds_alternative<clear_sound>(action)) {
      buffered_ = 0;
      take(codec_->on_cleared());
    } else if (const auto* cut = std::get_if<truncate_item>(&action)) {
      if (cut->ms > 100)
        return take(codec_->on_refused(cut->token, {errc::invalid, "too far", "", "not_sent"}));
      if (view_.find_item(cut->item) != nullptr)
        publish({item_heard{cut->item, cut->ms, "Y"}});
      accept(cut->token);
    }
  }

  void speak() {
    const auto id = ids_.make("item_");
    const auto to = heard_ + std::exchange(buffered_, 0);
    speech_edge edge{.kind = edge_kind::begun, .utterance = id, .from_ms = heard_};
    take(codec_->on_speech(edge));
    take(codec_->on_live_words({id, "Good"}));
    edge.kind = edge_kind::ended;
    take(codec_->on_speech(edge));
    publish({input_speech{next_rank(), id, "mic", heard_, to}});
    heard_ = to;
    take(codec_->on_live_words({id, "Good day"}));
    publish({input_transcribed{id, "Good day.", ""}});
    respond("resp_of_" + id);
  }

  void attach(const attach_session& how) {
    if (!how.snapshot && how.after > view_.head)
      return take(codec_->on_attach_refused({errc::invalid, "it is", "after_seq", "future"}));
    attached state{.view = std::make_shared<const session_view>(view_),
                   .snapshot = how.snapshot,
                   .store_incarnation = "store"};
    if (!how.snapshot)
      state.events.assign(events_.begin() + static_cast<std::ptrdiff_t>(how.after), events_.end());
    take(codec_->on_attached(state));
  }

  void journal(std::vector<event_body> bodies) {
    for (auto& body : bodies) {
      events_.push_back(std::make_shared<const event>(event{view_.head + 1, 1, std::move(body)}));
      if (!apply(view_, *events_.back()))
        checker_.faults.emplace_back("the fold refused an event");
    }
  }

  void publish(std::vector<event_body> bodies) {
    const auto from = static_cast<std::ptrdiff_t>(events_.size());
    journal(std::move(bodies));
    take(codec_->on_published({{events_.begin() + from, events_.end()}}));
  }

  std::string next_rank() {
    return view_.items.empty() ? rank_after("") : rank_after(view_.items.back()->rank);
  }

  void accept(std::uint64_t token, bool repeated = false) {
    take(codec_->on_accepted(token, {view_.head, repeated, nullptr}));
  }

  /// A whole response with a text and a call.
  void respond(const std::string& response) {
    const auto item_id = "item_of_" + response;
    publish({response_requested{response, {response}}, response_started{response, 1, item_id}});
    take(codec_->on_delta({response, 1, item_id, 1, 1, "Yes"}));
    item text{.id = item_id, .role = item_role::assistant, .text = "Yes.", .response = response};
    if (seated_) {
      text.spoken = true;
      text.audio_ms = 100;
      take(codec_->on_sound({response, 1, item_id, 0, samples(2400, 7), true, false}));
      take(codec_->on_held(item_id, true));
      take(codec_->on_held(item_id, false));
      take(codec_->on_sound({response, 1, item_id, 100, {}, false, true}));
      take(codec_->on_sound({"", 1, "filler_1", 0, samples(10, 7), true, true}));
    }
    item made{.id = "call_of_" + response,
              .kind = item_kind::function_call,
              .call_id = "call",
              .name = "f",
              .arguments = "{}",
              .response = response};
    const auto rank = next_rank();
    publish({item_put{rank, text}, item_put{rank_after(rank), made},
             response_done{response, response_status::completed, "", {1, 1}}});
  }

  void run(std::uint64_t token, const put_item& command) {
    const bool known = view_.find_item(command.value.id) != nullptr;
    if (!known)
      publish({item_put{next_rank(), command.value}});
    accept(token, known);
    if (!known && command.answer && view_.find_response(command.response) == nullptr)
      respond(command.response);
  }

  void run(std::uint64_t token, const remove_item& command) {
    if (view_.find_item(command.id) == nullptr)
      return take(codec_->on_refused(token, {errc::not_found, "no such item", "item_id", ""}));
    publish({item_removed{command.id}});
    accept(token);
  }

  void run(std::uint64_t token, const get_item& command) {
    for (const auto& stored : view_.items)
      if (stored->value.id == command.id)
        return take(codec_->on_accepted(token, {stored->seq, false, stored}));
    take(codec_->on_refused(token, {errc::not_found, "no such item", "item_id", ""}));
  }

  void run(std::uint64_t token, const request_response& command) {
    accept(token);
    respond(command.response);
  }

  void run(std::uint64_t token, const answer_call& command) {
    if (command.call != "call_1")
      return take(codec_->on_refused(token, {errc::not_found, "no call", "", "call_unknown"}));
    accept(token);
    take(codec_->on_tool_cancelled({command.call}));
  }

  void run(std::uint64_t token, const answer_approval& command) {
    if (command.call != "call_1")
      return take(codec_->on_refused(token, {errc::not_found, "no call", "", "call_unknown"}));
    publish(
      {call_opened{.call = "call_1", .name = "show", .arguments = "{", .needs_approval = true},
       call_approved{"call_1", command.approve}, call_ended{"call_1", "ok", {}}});
    accept(token);
    take(codec_->on_tool_call({"call_1", "show", "{}", std::chrono::seconds{1}, {}}));
  }

  void run(std::uint64_t token, const cancel_response&) {
    take(codec_->on_refused(token, {errc::not_found, "none", "", "response_not_active"}));
  }

  void run(std::uint64_t token, const edit_topic& command) {
    if (command.topic != "date")
      return take(codec_->on_refused(token, {errc::not_found, "no such topic", "topic", ""}));
    publish({topic_updated{.topic = "date",
                           .status = command.status.value_or(topic_status::confirmed),
                           .value = command.value.value_or(""),
                           .by = topic_author::person,
                           .revision = view_.revision + 1,
                           .edit = command.edit}});
    accept(token);
  }

  void run(std::uint64_t token, const undo_topic&) {
    accept(token, true);
  }

  void run(std::uint64_t token, const hear_item&) {
    accept(token);
  }

  void run(std::uint64_t token, const end_session&) {
    take(codec_->on_lost(token));
  }

  counted_ids ids_;
  std::unique_ptr<client_codec> codec_;
  session_view view_;
  std::vector<event_ptr> events_;
  std::deque<send_command> commands_;
  std::deque<codec_action> voice_;
  bool seated_ = false;
  std::uint64_t buffered_ = 0;
  std::uint64_t heard_ = 0;
  realtime_checker checker_;
};

} // namespace

std::string torture_realtime(std::string_view input) {
  for (const int kind : {0, 1, 2, 3}) {
    obliging_session session{kind % 2 == 1, kind >= 2};
    auto rest = input;
    while (!rest.empty()) {
      const auto end = std::min(rest.find('\n'), rest.size());
      session.frame(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (auto wrong = session.faults(); !wrong.empty())
      return wrong;
  }
  return {};
}
