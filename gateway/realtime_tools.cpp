#include "gateway/realtime_codec.hpp"
#include "gateway/realtime_fields.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

/// Tools of pages, approvals, and which calls a client gets to see.
namespace sidevoice {

using nlohmann::json;

namespace {

/// Arguments were checked before they were journaled; a journal that was written otherwise gives
/// an empty object and no broken frame.
json arguments_of(const json_text& text) {
  auto parsed = json::parse(text.empty() ? "{}" : text, nullptr, false);
  return parsed.is_object() ? parsed : json::object();
}

} // namespace

// -- what a client sees of calls

/// A plain client runs every function call that it sees, so it sees those for which it has brought
/// the tool along. What this server or a page runs is none of its business.
bool realtime_codec::is_hidden(const item& value) {
  if (options_.extensions || value.response.empty() || value.kind == item_kind::message)
    return !options_.extensions && value.kind == item_kind::function_call_output
           && hidden_calls_.contains(value.call_id);
  if (value.kind == item_kind::function_call && !brought_.contains(value.name))
    hidden_calls_.insert(value.call_id);
  return hidden_calls_.contains(value.call_id);
}

void realtime_codec::remember_tools(const response_options& options) {
  for (const auto& tool : options.tools)
    brought_.insert(tool.name);
}

/// Tools of a connection add to the app's: one name means one tool.
realtime_codec::fault realtime_codec::check_own_names(const json& session, const char* path) const {
  const auto tools = session.is_object() ? session.find("tools") : session.end();
  if (!session.is_object() || tools == session.end() || !tools->is_array())
    return std::nullopt;
  const auto& granted = options_.app->conversation_tools;
  for (std::size_t i = 0; i < tools->size(); ++i) {
    const auto name = (*tools)[i].is_object() ? (*tools)[i].value("name", json{}) : json{};
    if (name.is_string()
        && std::find(granted.begin(), granted.end(), name.get<std::string>()) != granted.end())
      return realtime_fault{"invalid_value",
                            "The app has a tool '" + name.get<std::string>()
                              + "' of its own; give this one another name.",
                            std::string{path} + ".tools[" + std::to_string(i) + "].name"};
  }
  return std::nullopt;
}

// -- client frames

realtime_codec::fault realtime_codec::on_tools_offer(const json& event) {
  const auto names = event.find("names");
  if (names == event.end())
    return missing("names");
  if (!names->is_array() || names->size() > realtime_limits::tools
      || !std::all_of(names->begin(), names->end(), [](const json& n) { return n.is_string(); }))
    return wrong_type("names", "a list of at most 128 names of tools");
  std::vector<std::string> offered;
  fault unknown;
  for (const auto& name : *names) {
    const auto* tool = options_.app->find_tool(name.get<std::string>());
    if (tool != nullptr && tool->kind == tool_kind::client)
      offered.push_back(name.get<std::string>());
    else
      unknown = realtime_fault{"invalid_value",
                               "The app declares no tool " + name.get<std::string>().substr(0, 64)
                                 + " of kind \"client\"; tools of this connection alone go into "
                                   "session.update. The other names are offered.",
                               "names"};
  }
  // A page that knows one tool too many does not lose the others.
  out_.act(offer_names{std::move(offered)});
  return unknown;
}

realtime_codec::fault realtime_codec::on_tool_output(const json& event) {
  answer_call answer;
  if (auto wrong = read_text(event, "call_id", "", answer.call))
    return wrong;
  const auto output = event.find("output");
  const auto error = event.find("error");
  if ((output == event.end()) == (error == event.end()))
    return realtime_fault{"invalid_value", "Send either output or error.", "output"};
  answer.failed = error != event.end();
  const auto& value = answer.failed ? *error : *output;
  auto text = value.is_string() ? value.get<std::string>() : value.dump();
  if (text.size() > realtime_limits::text_bytes)
    return realtime_fault{"invalid_value", "The output has more than 128 KiB.",
                          answer.failed ? "error" : "output"};
  if (text.find('\0') != std::string::npos)
    return realtime_fault{"invalid_value", "The output has a NUL character.",
                          answer.failed ? "error" : "output"};
  answer.output = answer.failed ? json{{"error", "failed"}, {"message", std::move(text)}}.dump()
                                : std::move(text);
  return command({.what = ask::tool_output, .subject = answer.call}, std::move(answer));
}

realtime_codec::fault realtime_codec::on_approval(const json& event) {
  answer_approval answer;
  if (auto wrong = read_text(event, "call_id", "", answer.call))
    return wrong;
  const auto approve = event.find("approve");
  if (approve == event.end())
    return missing("approve");
  if (!approve->is_boolean())
    return wrong_type("approve", "true or false");
  answer.approve = approve->get<bool>();
  return command({.what = ask::approval, .subject = answer.call}, std::move(answer));
}

// -- what the session tells

codec_actions realtime_codec::on_tool_call(const tool_call& call) {
  if (options_.extensions)
    out_.ephemeral({{"type", "sidevoice.tool.called"},
                    {"call_id", call.call},
                    {"name", call.name},
                    {"arguments", arguments_of(call.arguments)},
                    {"deadline_ms", call.deadline.count()},
                    {"by", to_string(call.by)}});
  return out_.take();
}

codec_actions realtime_codec::on_tool_cancelled(const tool_cancelled& call) {
  if (options_.extensions)
    out_.ephemeral({{"type", "sidevoice.tool.cancelled"}, {"call_id", call.call}});
  return out_.take();
}

void realtime_codec::ask_approval(const call_opened& call) {
  const auto* tool = options_.app->find_tool(call.name);
  out_.event({{"type", "sidevoice.approval.requested"},
              {"call_id", call.call},
              {"name", call.name},
              {"arguments", arguments_of(call.arguments)},
              {"say", tool == nullptr ? call.name : tool->description}});
  approvals_.insert(call.call);
}

void realtime_codec::on(const event&, const call_opened& body) {
  if (options_.extensions && body.needs_approval)
    ask_approval(body);
}

void realtime_codec::on(const event&, const call_approved& body) {
  if (options_.extensions && approvals_.erase(body.call) != 0)
    out_.event({{"type", "sidevoice.approval.answered"},
                {"call_id", body.call},
                {"approve", body.approved}});
}

void realtime_codec::on(const event&, const call_ended& body) {
  // Without an answer in time.
  if (options_.extensions && approvals_.erase(body.call) != 0)
    out_.event(
      {{"type", "sidevoice.approval.answered"}, {"call_id", body.call}, {"approve", false}});
}

void realtime_codec::show_approvals(const session_view& view) {
  approvals_.clear();
  for (const auto& call : view.open_calls)
    if (call->phase == call_phase::waiting)
      ask_approval(call->call);
}

} // namespace sidevoice
