#include "actors/calls.hpp"

#include "actors/builtin_tools.hpp"
#include "actors/responses.hpp"
#include "config/json_schema.hpp"
#include "persistence/rank.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace sidevoice {

namespace {

using nlohmann::json;

/// Beyond what the runner itself waits for.
constexpr std::chrono::milliseconds runner_margin{2'000};

/// What an agent may call beside the tools of a connection; null for what the app does not give
/// it.
const tool_declaration* find_granted(const app_definition& app,
                                     const std::vector<std::string>& granted,
                                     const std::string& name) {
  if (std::find(granted.begin(), granted.end(), name) == granted.end())
    return nullptr;
  const auto* tool = app.find_tool(name);
  return tool != nullptr && tool->kind != tool_kind::mcp ? tool : nullptr;
}

std::string error_output(const std::string& code, const std::string& message) {
  return json{{"error", code}, {"message", message}}.dump(-1, ' ', false,
                                                          json::error_handler_t::replace);
}

item output_item(const std::string& call, const std::string& response, std::string output,
                 id_source& ids) {
  return {.id = ids.make("item_"),
          .kind = item_kind::function_call_output,
          .call_id = call,
          .output = std::move(output),
          .response = response};
}

std::string names_of(const app_definition& app, const response_options* options) {
  std::string names;
  const auto add = [&names](const std::string& name) {
    names += (names.empty() ? "" : ", ") + name;
  };
  for (const auto& name : app.conversation_tools)
    add(name);
  if (options != nullptr)
    for (const auto& tool : options->tools)
      add(tool.name);
  return names.empty() ? "there are none" : "the tools are " + names;
}

/// Places outputs one behind the other at the end.
class output_writer {
public:
  output_writer(const session_view& view, id_source& ids) : rank_(next_rank(view)), ids_(ids) {}

  void put(std::vector<event_body>& events, const std::string& call, const std::string& response,
           std::string output) {
    events.emplace_back(item_put{rank_, output_item(call, response, std::move(output), ids_)});
    rank_ = rank_after(rank_);
  }

private:
  std::string rank_;
  id_source& ids_;
};

/// Tools of a page and of this server start alike; who runs them is found when the start is
/// durable.
bool may_start(const call_state& call, const call_status& status) {
  switch (call.call.runner) {
    case call_runner::server:
      return status.runner;
    case call_runner::page:
      return status.offered.contains(call.call.name);
    case call_runner::client:
      break;
  }
  return false;
}

/// What becomes of a call whose run was lost with an incarnation, an actor or a page.
std::vector<event_body> recover_call(const tool_declaration* tool, const session_view& view,
                                     const call_state& call, const call_status& status,
                                     id_source& ids) {
  const auto again = tool != nullptr && tool->effect != tool_effect::once
                     && call.attempt < max_call_attempts;
  if (call.call.runner == call_runner::page) {
    // The page may still answer, and its deadline ends it otherwise.
    if (!again || !may_start(call, status))
      return {};
  } else if (!again) {
    const auto once = tool != nullptr && tool->effect == tool_effect::once;
    return once ? end_call(view, call, "unknown",
                           error_output("unknown", "It is not known whether this was done. Do not "
                                                   "call it again; tell the visitor."),
                           ids)
                : end_call(view, call, "failed",
                           error_output("failed", "The tool could not be run."), ids);
  } else if (!status.runner) {
    return {};
  }
  return {call_started{call.call.call, call.attempt + 1}};
}

std::vector<event_body> start_call(const app_definition& app, const session_view& view,
                                   const call_state& call, const call_status& status,
                                   id_source& ids) {
  const auto* tool = app.find_tool(call.call.name);
  if (call.call.runner == call_runner::client)
    return {};
  if (tool == nullptr)
    return end_call(view, call, "failed", error_output("failed", "There is no such tool."), ids);
  if (status.simulate && tool->effect != tool_effect::none)
    return end_call(view, call, "simulated",
                    R"({"status":"simulated","note":"This is a preview: nothing was done."})", ids);
  if (tool->kind == tool_kind::builtin)
    if (auto done = run_builtin(tool->name, view.about, status.wall_ms))
      return end_call(view, call, done->outcome, std::move(done->output), ids);
  if (may_start(call, status))
    return {call_started{call.call.call, call.attempt + 1}};
  if (call.call.runner == call_runner::page && tool->without_page != no_page::wait) {
    const auto fails = tool->without_page == no_page::fail;
    return end_call(view, call, "no_page",
                    fails ? error_output("no_page", "No page is open that could do this.")
                          : R"({"status":"skipped","note":"No page is open that could do this."})",
                    ids);
  }
  return {};
}

/// A client that ran one of the response's calls asks for the answer to all of them.
bool client_goes_on(const session_view& view, const std::string& response) {
  std::set<std::string> calls;
  for (const auto& stored : view.items)
    if (stored->value.kind == item_kind::function_call && stored->value.response == response)
      calls.insert(stored->value.call_id);
  return std::any_of(view.items.begin(), view.items.end(), [&](const auto& stored) {
    return stored->value.kind == item_kind::function_call_output && stored->value.response.empty()
           && calls.contains(stored->value.call_id);
  });
}

} // namespace

result<void> check_arguments(const tool_declaration& tool, const json_text& arguments) {
  const auto given = json::parse(arguments.empty() ? "{}" : arguments, nullptr, false);
  if (given.is_discarded())
    return error{errc::invalid, "The arguments are no valid JSON. Call again with one JSON object.",
                 "arguments", "invalid_arguments"};
  const auto schema = json::parse(tool.parameters, nullptr, false);
  if (auto wrong = schema_violation(schema, given))
    return error{errc::invalid,
                 "The arguments break the tool's schema: " + *wrong
                   + ". Mend that and call again, or ask the visitor.",
                 "arguments", "invalid_arguments"};
  return {};
}

std::vector<event_body> take_calls(const app_definition& app, const session_view& view,
                                   const std::vector<item>& calls, const response_options* options,
                                   id_source& ids) {
  std::vector<event_body> events;
  output_writer outputs(view, ids);
  std::size_t taken = 0;
  for (const auto& call : calls) {
    const auto refuse = [&](const std::string& code, const std::string& message) {
      outputs.put(events, call.call_id, call.response, error_output(code, message));
    };
    if (++taken > max_calls_of_answer) {
      refuse("too_many_calls", "One answer may hold " + std::to_string(max_calls_of_answer)
                                 + " calls; this one was not made.");
      continue;
    }
    call_opened opened{.call = call.call_id,
                       .name = call.name,
                       .arguments = call.arguments,
                       .response = call.response};
    const auto* tool = find_granted(app, app.conversation_tools, call.name);
    const auto brought = options != nullptr
                         && std::any_of(options->tools.begin(), options->tools.end(),
                                        [&](const llm_tool& t) { return t.name == call.name; });
    if (tool == nullptr && !brought) {
      refuse("unknown_tool", "There is no tool " + call.name + "; " + names_of(app, options) + ".");
      continue;
    }
    if (tool == nullptr) {
      opened.runner = call_runner::client;
    } else {
      if (auto good = check_arguments(*tool, call.arguments); !good) {
        refuse("invalid_arguments", good.error().detail);
        continue;
      }
      opened.runner = tool->kind == tool_kind::client ? call_runner::page : call_runner::server;
      opened.needs_approval = tool->needs_approval;
    }
    events.emplace_back(std::move(opened));
  }
  return events;
}

std::vector<event_body> take_analyzer_calls(const app_definition& app, const session_view& view,
                                            const std::vector<proposed_call>& calls,
                                            std::vector<std::string>& refused) {
  std::vector<event_body> events;
  for (const auto& call : calls) {
    const auto* tool = find_granted(app, app.analyzer_tools, call.name);
    if (tool == nullptr || tool->needs_approval) {
      refused.push_back(call.name + ": there is no such tool for you");
      continue;
    }
    if (auto good = check_arguments(*tool, call.arguments); !good) {
      refused.push_back(call.name + ": " + good.error().detail);
      continue;
    }
    const auto same = [&](const call_opened& other) {
      return other.by == call_author::analyzer && other.name == call.name
             && other.arguments == call.arguments;
    };
    // Each analysis reads the whole conversation: what it has called before it calls again.
    const auto known =
      std::any_of(view.analyzer_calls.begin(), view.analyzer_calls.end(),
                  [&](const closed_call& c) { return same(c.call) && c.outcome == "ok"; })
      || std::any_of(view.open_calls.begin(), view.open_calls.end(),
                     [&](const call_state_ptr& c) { return same(c->call); });
    if (known)
      continue;
    if (events.size() >= max_calls_of_answer) {
      refused.push_back(call.name + ": too many calls in one analysis");
      continue;
    }
    events.emplace_back(call_opened{
      .call = call.call,
      .name = call.name,
      .arguments = call.arguments,
      .by = call_author::analyzer,
      .runner = tool->kind == tool_kind::client ? call_runner::page : call_runner::server});
  }
  return events;
}

std::vector<event_body> end_call(const session_view& view, const call_state& call,
                                 const std::string& outcome, std::string output, id_source& ids) {
  std::vector<event_body> events;
  call_ended end{.call = call.call.call, .outcome = outcome};
  if (call.call.by == call_author::analyzer)
    end.output = std::move(output);
  else
    // A client that brought the tool along asks for the answer itself.
    events.emplace_back(item_put{
      next_rank(view),
      output_item(call.call.call,
                  call.call.runner == call_runner::client ? std::string{} : call.call.response,
                  std::move(output), ids)});
  events.emplace_back(std::move(end));
  return events;
}

std::vector<event_body> decide_calls(const app_definition& app, const session_view& view,
                                     const call_status& status, id_source& ids) {
  for (const auto& entry : view.open_calls) {
    const auto& call = *entry;
    std::vector<event_body> events;
    if (!view.ended.empty())
      events = end_call(view, call, "cancelled", error_output("cancelled", "The session ended."),
                        ids);
    else if (call.phase == call_phase::ready)
      events = start_call(app, view, call, status, ids);
    else if (call.phase == call_phase::started
             && (!status.ours.contains(call.call.call)
                 || status.send_again.contains(call.call.call)))
      events = recover_call(app.find_tool(call.call.name), view, call, status, ids);
    // One at a time: the next decision sees what this one has changed.
    if (!events.empty())
      return events;
  }
  return {};
}

std::optional<response_requested> continue_after_calls(const session_view& view, id_source& ids) {
  if (!view.ended.empty() || !view.open_responses.empty())
    return std::nullopt;
  const auto waits = [&view](const std::string& response) {
    return std::any_of(view.open_calls.begin(), view.open_calls.end(),
                       [&](const auto& call) { return call->call.response == response; });
  };
  for (const auto& stored : view.items) {
    const auto& value = stored->value;
    if (stored->seq > view.answered_to && value.kind == item_kind::function_call_output
        && !value.response.empty() && !waits(value.response)
        && !client_goes_on(view, value.response))
      return response_requested{ids.make("resp_"), view.unanswered()};
  }
  return std::nullopt;
}

std::vector<event_body> expire_call(const app_definition& app, const session_view& view,
                                    const call_state& call, id_source& ids) {
  if (call.phase == call_phase::waiting)
    return end_call(view, call, "refused",
                    error_output("no_approval", "The visitor did not agree in time."), ids);
  if (call.phase == call_phase::ready && call.call.runner == call_runner::page)
    return end_call(view, call, "no_page",
                    error_output("no_page", "No page was open that could do this."), ids);
  const auto* tool = app.find_tool(call.call.name);
  if (call.phase == call_phase::started && tool != nullptr && tool->effect == tool_effect::once)
    return end_call(view, call, "unknown",
                    error_output("unknown", "No answer came in time, so it is not known whether "
                                            "this was done. Do not call it again; tell the "
                                            "visitor."),
                    ids);
  return end_call(view, call, "timeout", error_output("timeout", "No answer came in time."), ids);
}

std::chrono::milliseconds patience_of(const app_definition& app, const call_state& call,
                                      const call_patience& patience) {
  if (call.phase == call_phase::waiting)
    return patience.approval;
  const auto* tool = app.find_tool(call.call.name);
  if (call.call.runner == call_runner::client || tool == nullptr)
    return patience.client;
  return call.call.runner == call_runner::server ? tool->timeout + runner_margin : tool->timeout;
}

std::uint32_t tool_rounds(const session_view& view, const std::string& response) {
  std::uint32_t rounds = 0;
  const auto* current = view.find_response(response);
  // Bounded, whatever the journal holds.
  while (current != nullptr && !current->cause.empty() && rounds < 64) {
    const stored_item* output = nullptr;
    for (const auto& id : current->cause) {
      const auto* cause = view.find_item(id);
      // With a word of the visitor in it, the count begins anew.
      if (cause == nullptr || cause->value.kind != item_kind::function_call_output)
        return rounds;
      output = cause;
    }
    ++rounds;
    auto before = output->value.response;
    if (before.empty())
      for (const auto& stored : view.items)
        if (stored->value.kind == item_kind::function_call
            && stored->value.call_id == output->value.call_id)
          before = stored->value.response;
    current = before.empty() ? nullptr : view.find_response(before);
  }
  return rounds;
}

std::vector<event_body> cancel_calls(const app_definition& app, const session_view& view,
                                     id_source& ids, std::vector<std::string>& cancelled) {
  std::vector<event_body> events;
  output_writer outputs(view, ids);
  for (const auto& entry : view.open_calls) {
    const auto& call = entry->call;
    const auto* tool = app.find_tool(call.name);
    if (call.by != call_author::conversation || call.runner == call_runner::client
        || tool == nullptr || tool->effect != tool_effect::none
        || entry->phase == call_phase::waiting)
      continue;
    outputs.put(events, call.call, call.response,
                error_output("cancelled", "The visitor went on before the answer came."));
    events.emplace_back(call_ended{call.call, "cancelled", {}});
    cancelled.push_back(call.call);
  }
  return events;
}

result<std::vector<event_body>> judge_approval(const session_view& view,
                                               const answer_approval& answer, id_source& ids) {
  const auto* call = view.find_call(answer.call);
  if (call == nullptr || call->phase != call_phase::waiting)
    return error{errc::not_found, "no call " + answer.call + " waits for an approval", "call_id",
                 "call_unknown"};
  std::vector<event_body> events;
  events.emplace_back(call_approved{answer.call, answer.approve});
  if (!answer.approve)
    for (auto& e : end_call(view, *call, "refused",
                            error_output("refused", "The visitor does not want this."), ids))
      events.push_back(std::move(e));
  return events;
}

} // namespace sidevoice
