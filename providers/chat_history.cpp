#include "providers/chat_history.hpp"

#include "providers/vendor_json.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace sidevoice {

using nlohmann::ordered_json;

namespace {

constexpr const char* cancelled_output = R"({"error":"cancelled"})";

/// Letters, digits, `_` and `-`, at most 64: the service refuses any other name, also one that its
/// own model has made up.
std::string function_name(const std::string& name) {
  auto out = name.substr(0, 64);
  const auto is_good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'
           || c == '-';
  };
  std::replace_if(
    out.begin(), out.end(), [&](char c) { return !is_good(c); }, '_');
  return out.empty() ? "unknown" : out;
}

/// Servers that fill a template with the arguments fail where they are no JSON object.
std::string arguments_text(const std::string& arguments) {
  const auto value = read_vendor_json(arguments);
  if (value && value->is_object())
    return arguments;
  return ordered_json{{"invalid_arguments", arguments}}.dump(
    -1, ' ', false, ordered_json::error_handler_t::replace);
}

class message_writer {
public:
  explicit message_writer(const llm_request& request)
      : names_items_(request.purpose == llm_purpose::analyze) {
    for (const auto& message : request.history)
      if (message.role == llm_role::function_call_output)
        outputs_.emplace(message.call_id, &message);
  }

  void add(const llm_message& message) {
    switch (message.role) {
      case llm_role::assistant:
        flush();
        text_ = message.text.empty() ? std::string{} : marked(message);
        return;
      case llm_role::function_call:
        calls_.push_back(&message);
        return;
      case llm_role::function_call_output:
        // The calls in hand are one step, and it has been answered; flush() fetches the output.
        if (is_in_hand(message.call_id))
          flush();
        return;
      case llm_role::user:
      case llm_role::system:
        flush();
        if (!message.text.empty())
          out_.push_back({{"role", message.role == llm_role::user ? "user" : "system"},
                          {"content", marked(message)}});
        return;
    }
  }

  ordered_json finish() {
    flush();
    return std::move(out_);
  }

private:
  [[nodiscard]] std::string marked(const llm_message& message) const {
    if (!names_items_ || message.role == llm_role::system || message.id.empty())
      return message.text;
    return "[" + message.id + "] " + message.text;
  }

  [[nodiscard]] bool is_in_hand(const std::string& call_id) const {
    return std::any_of(calls_.begin(), calls_.end(),
                       [&](const auto* call) { return call->call_id == call_id; });
  }

  /// An id that no other call of this prompt has; the same one in every prompt.
  std::string prompt_id(const std::string& call_id) {
    auto id = call_id.empty() ? std::string{"call"} : call_id;
    for (int n = 2; ids_.contains(id); ++n)
      id = (call_id.empty() ? std::string{"call"} : call_id) + "_" + std::to_string(n);
    ids_.insert(id);
    return id;
  }

  std::string output_of(const std::string& call_id) {
    const auto found = outputs_.find(call_id);
    if (found == outputs_.end())
      return cancelled_output;
    auto text = found->second->text;
    outputs_.erase(found);
    return text;
  }

  void flush() {
    const auto text = std::exchange(text_, {});
    const auto calls = std::exchange(calls_, {});
    if (text.empty() && calls.empty())
      return;
    ordered_json message{{"role", "assistant"}, {"content", nullptr}};
    if (!text.empty())
      message["content"] = text;
    auto answers = ordered_json::array();
    for (const auto* call : calls) {
      const auto id = prompt_id(call->call_id);
      message["tool_calls"].push_back(
        {{"id", id},
         {"type", "function"},
         {"function",
          {{"name", function_name(call->name)}, {"arguments", arguments_text(call->text)}}}});
      answers.push_back(
        {{"role", "tool"}, {"tool_call_id", id}, {"content", output_of(call->call_id)}});
    }
    out_.push_back(std::move(message));
    for (auto& answer : answers)
      out_.push_back(std::move(answer));
  }

  bool names_items_;
  ordered_json out_ = ordered_json::array();
  /// The assistant's message in the making: text, then calls.
  std::string text_;
  std::vector<const llm_message*> calls_;
  std::multimap<std::string, const llm_message*> outputs_;
  std::set<std::string> ids_;
};

} // namespace

ordered_json make_chat_messages(const llm_request& request) {
  message_writer writer{request};
  for (const auto& message : request.history)
    writer.add(message);
  return writer.finish();
}

} // namespace sidevoice
