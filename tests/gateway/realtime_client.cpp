#include "tests/gateway/realtime_client.hpp"

using namespace sidevoice;
using nlohmann::json;

app_ptr moving_app() {
  auto app = std::make_shared<app_definition>();
  app->id = "moving";
  app->title = "Moving";
  app->conversation_instructions = "Be brief.";
  app->release = "sha256:1";
  topic_declaration date{.id = "date", .type = topic_type::date, .label = "Date"};
  date.required = true;
  date.min_today = true;
  topic_declaration home{.id = "home", .type = topic_type::choice, .label = "Home"};
  home.choices = {{"flat", {"apartment"}}, {"house", {}}};
  app->topics = {date, home};
  return app;
}

item message(const std::string& id, item_role role, const std::string& text,
             const std::string& response) {
  return {.id = id, .role = role, .text = text, .response = response};
}

item call(const std::string& id, const std::string& call_id, const std::string& name,
          const std::string& arguments, const std::string& response) {
  return {.id = id,
          .kind = item_kind::function_call,
          .call_id = call_id,
          .name = name,
          .arguments = arguments,
          .response = response};
}

std::string types(const std::vector<json>& frames) {
  std::string out;
  for (const auto& frame : frames)
    out += (out.empty() ? "" : " ") + frame["type"].get<std::string>();
  return out;
}

json error_of(const std::vector<json>& frames) {
  REQUIRE(types(frames) == "error");
  return frames.front()["error"];
}

realtime_client::realtime_client(setup how) : checker(how.extensions) {
  codec = make_protocol_realtime({.app = moving_app(),
                                  .session = "sess_1",
                                  .extensions = how.extensions,
                                  .rights = how.rights,
                                  .client_key = how.client_key,
                                  .ids = &ids,
                                  .hears = how.speaks,
                                  .speaks = how.speaks});
  journal({session_started{"moving", "user_1", "sha256:1", "en", "UTC"}});
}

std::vector<json> realtime_client::take(codec_actions actions) {
  std::vector<json> out;
  for (auto& action : actions) {
    if (const auto* frame = std::get_if<send_frame>(&action)) {
      out.push_back(json::parse(frame->text));
      CHECK(frame->refusal == (out.back()["type"] == "error"));
      refusals += frame->refusal ? 1 : 0;
      checker.take(out.back());
      frames.push_back(out.back());
    } else if (const auto* how = std::get_if<attach_session>(&action)) {
      attaches.push_back(*how);
    } else if (auto* what = std::get_if<send_command>(&action)) {
      commands.push_back(*what);
    } else if (const auto* offer = std::get_if<offer_names>(&action)) {
      offers.push_back(offer->names);
    } else if (const auto* end = std::get_if<close_socket>(&action)) {
      closes.push_back(*end);
    } else {
      voice.push_back(std::move(action));
    }
  }
  for (const auto& fault : checker.faults)
    FAIL(fault);
  return out;
}

std::vector<json> realtime_client::open() {
  return take(codec->on_open());
}

std::vector<json> realtime_client::send(const json& event) {
  return send_text(event.dump());
}

std::vector<json> realtime_client::send_text(const std::string& text) {
  return take(codec->on_frame(text));
}

void realtime_client::journal(std::vector<event_body> bodies) {
  for (auto& body : bodies) {
    events.push_back(std::make_shared<const event>(event{view.head + 1, 1000, std::move(body)}));
    REQUIRE(apply(view, *events.back()).has_value());
  }
}

std::vector<json> realtime_client::publish(std::vector<event_body> bodies) {
  const auto from = events.size();
  journal(std::move(bodies));
  return take(
    codec->on_published({{events.begin() + static_cast<std::ptrdiff_t>(from), events.end()}}));
}

std::vector<json> realtime_client::attach(std::optional<open_answer> open, bool force_snapshot) {
  REQUIRE(!attaches.empty());
  const auto& how = attaches.back();
  attached state{.view = std::make_shared<const session_view>(view),
                 .snapshot = how.snapshot || force_snapshot,
                 .open = std::move(open),
                 .store_incarnation = store};
  if (!state.snapshot)
    state.events.assign(events.begin() + static_cast<std::ptrdiff_t>(how.after), events.end());
  return take(codec->on_attached(state));
}

std::vector<json> realtime_client::refuse_attach(const error& why) {
  return take(codec->on_attach_refused(why));
}

std::vector<json> realtime_client::delta(const std::string& response, const std::string& item,
                                         std::uint32_t n, const std::string& text,
                                         std::uint32_t attempt) {
  return take(codec->on_delta({response, attempt, item, n, 1, text}));
}

std::vector<json> realtime_client::accept(bool repeated, std::uint64_t seq, stored_item_ptr found) {
  REQUIRE(!commands.empty());
  return take(codec->on_accepted(commands.back().token,
                                 {seq == 0 ? view.head : seq, repeated, std::move(found)}));
}

std::vector<json> realtime_client::refuse(const error& why) {
  REQUIRE(!commands.empty());
  return take(codec->on_refused(commands.back().token, why));
}

std::vector<json> realtime_client::lose() {
  REQUIRE(!commands.empty());
  return take(codec->on_lost(commands.back().token));
}

std::vector<json> realtime_client::notify(const notice& what) {
  return take(codec->on_notice(what));
}

void realtime_client::start() {
  open();
  if (attaches.empty())
    send({{"type", "sidevoice.session.resume"}, {"after_seq", 0}});
  attach();
}

event_body realtime_client::put(item value) {
  last_rank_ = rank_after(last_rank_);
  return item_put{last_rank_, std::move(value)};
}
