#include "actors/prompt.hpp"

#include "actors/builtin_tools.hpp"
#include "actors/checklist.hpp"
#include "actors/prompt_text.hpp"
#include "config/template_text.hpp"
#include "config/topic_value.hpp"

#include <algorithm>
#include <map>

namespace sidevoice {

namespace {

/// What a model reads as the output of a call that has none.
constexpr const char* cancelled_output = R"({"status":"cancelled"})";

/// And of one that still runs.
constexpr const char* running_output =
  R"({"status":"running","note":"The answer comes later. Do not call it again."})";
constexpr const char* waiting_output =
  R"({"status":"waiting","note":"The visitor has been asked on the page whether this may be done. Do not call it again."})";

llm_role role_of(item_role role) {
  switch (role) {
    case item_role::system:
      return llm_role::system;
    case item_role::assistant:
      return llm_role::assistant;
    case item_role::user:
      break;
  }
  return llm_role::user;
}

/// Makes the history; notes where the part begins that no analysis has read.
class history_writer {
public:
  explicit history_writer(const session_view& view) : view_(view) {
    for (const auto& stored : view.items)
      if (stored->value.kind == item_kind::function_call_output)
        outputs_.emplace(stored->value.call_id, stored.get());
  }

  void write(llm_request& request) {
    for (const auto& stored : view_.items)
      add(request.history, *stored);
    flush(request.history);
    request.unanalyzed_from = unanalyzed_from_.value_or(request.history.size());
  }

private:
  void add(std::vector<llm_message>& history, const stored_item& stored) {
    const auto& value = stored.value;
    switch (value.kind) {
      case item_kind::message:
        flush(history);
        if (!value.text.empty())
          push(history, stored.seq, {role_of(value.role), value.id, value.text, {}, {}});
        return;
      case item_kind::function_call:
        // Calls of one answer stand together, their outputs behind them: one step of the model.
        if (!calls_.empty() && calls_.back()->value.response != value.response)
          flush(history);
        push(history, stored.seq,
             {llm_role::function_call, value.id, value.arguments, value.call_id, value.name});
        calls_.push_back(&stored);
        return;
      case item_kind::function_call_output:
        return;
    }
  }

  void flush(std::vector<llm_message>& history) {
    for (const auto* call : std::exchange(calls_, {}))
      add_output(history, *call);
  }

  /// Vendors refuse a call without an output, and more than one. Each output is used once, should
  /// two calls share an id.
  void add_output(std::vector<llm_message>& history, const stored_item& call) {
    llm_message message{
      llm_role::function_call_output, {}, cancelled_output, call.value.call_id, call.value.name};
    if (const auto* open = view_.find_call(call.value.call_id))
      message.text = open->phase == call_phase::waiting ? waiting_output : running_output;
    auto seq = call.seq;
    if (const auto output = outputs_.find(call.value.call_id); output != outputs_.end()) {
      message.id = output->second->value.id;
      message.text = output->second->value.output;
      seq = output->second->seq;
      outputs_.erase(output);
    }
    push(history, seq, std::move(message));
  }

  void push(std::vector<llm_message>& history, std::uint64_t seq, llm_message message) {
    if (!unanalyzed_from_ && seq > view_.analyzed_to)
      unanalyzed_from_ = history.size();
    history.push_back(std::move(message));
  }

  const session_view& view_;
  /// Calls whose outputs have not been written yet.
  std::vector<const stored_item*> calls_;
  std::multimap<std::string, const stored_item*> outputs_;
  std::optional<std::size_t> unanalyzed_from_;
};

bool has_unanalyzed_input(const session_view& view) {
  return std::any_of(view.items.begin(), view.items.end(), [&view](const auto& stored) {
    const auto& value = stored->value;
    // Speech that stayed without words has answered nothing.
    return stored->seq > view.analyzed_to && value.kind == item_kind::message
           && value.role == item_role::user
           && (!value.text.empty() || view.find_speech(value.id) != nullptr);
  });
}

void append_part(std::string& text, const std::string& part) {
  if (part.empty())
    return;
  if (!text.empty())
    text += text.back() == '\n' ? "\n" : "\n\n";
  text += part;
}

/// The app's text with {{user.name}} and {{topics.ID}} as this session knows them.
std::string filled(const std::string& text, const app_definition& app, const session_view& view) {
  constexpr std::string_view topics = "topics.";
  return fill_variables(text, [&](const std::string& name) -> std::optional<std::string> {
    if (name == "user.name")
      return view.about.user;
    if (!name.starts_with(topics))
      return std::nullopt;
    const auto* topic = app.find_topic(name.substr(topics.size()));
    const auto state = topic ? view.topic(topic->id) : topic_state{};
    if (state.value.empty() || state.status == topic_status::skipped)
      return std::nullopt;
    return display_topic_value(*topic, state.value);
  });
}

/// What both prompts have in common.
llm_request make_prompt(const app_ptr& app, const session_view& view, std::int64_t wall_ms) {
  llm_request request;
  request.app = app;
  history_writer(view).write(request);
  for (const auto& topic : app->topics) {
    const auto state = view.topic(topic.id);
    // What a skipped topic keeps for its return is no news to an agent.
    request.board.push_back(
      {.topic = &topic,
       .status = to_string(state.status),
       .value = state.status == topic_status::skipped ? json_text{} : state.value});
  }
  // What the visitor has just said may answer it, and nothing is worse than asking again.
  if (!has_unanalyzed_input(view))
    if (const auto* next = next_topic(*app, view))
      request.next_topic = next->id;
  request.wall_ms = wall_ms;
  request.zone = view.about.zone;
  request.locale = view.about.locale.empty() ? app->language : view.about.locale;
  return request;
}

/// What an agent may call of the app's tools.
std::vector<llm_tool> tools_of(const app_definition& app, const std::vector<std::string>& names,
                               const std::vector<std::string>& unavailable) {
  std::vector<llm_tool> tools;
  for (const auto& name : names) {
    const auto* tool = app.find_tool(name);
    if (tool == nullptr || tool->kind == tool_kind::mcp
        || std::find(unavailable.begin(), unavailable.end(), name) != unavailable.end())
      continue;
    auto described = tool->kind == tool_kind::builtin ? describe_builtin(name) : std::nullopt;
    if (!described)
      described = llm_tool{name, tool->description, tool->parameters};
    else if (!tool->description.empty())
      described->description = tool->description;
    tools.push_back(std::move(*described));
  }
  return tools;
}

/// The analyzer reads the whole conversation each time; it must know what it has done about it.
void add_own_calls(std::vector<llm_message>& history, const session_view& view) {
  const auto add = [&history](const call_opened& call, const std::string& output) {
    history.push_back({llm_role::function_call, {}, call.arguments, call.call, call.name});
    history.push_back({llm_role::function_call_output, {}, output, call.call, call.name});
  };
  for (const auto& closed : view.analyzer_calls)
    add(closed.call, closed.output);
  for (const auto& open : view.open_calls)
    if (open->call.by == call_author::analyzer)
      add(open->call, running_output);
}

} // namespace

llm_request make_conversation_prompt(const app_ptr& app, const session_view& view,
                                     const response_options& options, std::int64_t wall_ms,
                                     const std::vector<std::string>& unavailable) {
  auto request = make_prompt(app, view, wall_ms);
  request.purpose = llm_purpose::converse;
  append_part(request.instructions, filled(app->conversation_instructions, *app, view));
  append_part(request.instructions, conversation_guidance(*app));
  append_part(request.instructions, options.instructions);
  request.tools = tools_of(*app, app->conversation_tools, unavailable);
  for (const auto& tool : options.tools)
    if (std::none_of(request.tools.begin(), request.tools.end(),
                     [&tool](const llm_tool& known) { return known.name == tool.name; }))
      request.tools.push_back(tool);
  std::stable_sort(request.tools.begin(), request.tools.end(),
                   [](const llm_tool& a, const llm_tool& b) { return a.name < b.name; });
  request.tool_choice = options.tool_choice;
  request.max_output_tokens = options.max_output_tokens;
  return request;
}

llm_request make_analyzer_prompt(const app_ptr& app, const session_view& view,
                                 std::int64_t wall_ms) {
  auto request = make_prompt(app, view, wall_ms);
  request.purpose = llm_purpose::analyze;
  append_part(request.instructions, filled(app->analyzer_instructions, *app, view));
  append_part(request.instructions, analyzer_guidance(*app));
  request.tools = tools_of(*app, app->analyzer_tools, {});
  request.tools.push_back({.name = "update_topic",
                           .description = "Records what the conversation says about one topic",
                           .parameters = update_topic_schema(*app)});
  std::stable_sort(request.tools.begin(), request.tools.end(),
                   [](const llm_tool& a, const llm_tool& b) { return a.name < b.name; });
  add_own_calls(request.history, view);
  return request;
}

} // namespace sidevoice
