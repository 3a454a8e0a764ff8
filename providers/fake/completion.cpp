#include "providers/fake/completion.hpp"

#include "providers/fake/chat_request.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace sidevoice {

namespace {

using json = nlohmann::ordered_json;
using kind = reply_event::kind;

/// Arguments are cut at this many code points where the script does not say.
constexpr std::size_t argument_chars = 8;

json safe_results() {
  auto out = json::object();
  for (const auto* harm : {"hate", "self_harm", "sexual", "violence"})
    out[harm] = {{"filtered", false}, {"severity", "safe"}};
  return out;
}

json prompt_results() {
  return json::array({{{"prompt_index", 0}, {"content_filter_results", safe_results()}}});
}

/// Makes the JSON of one answer. Lives for one call.
class completion {
public:
  completion(const fake_reply& reply, const reply_context& context)
      : reply_(reply),
        context_(context),
        azure_(reply.azure_filter.value_or(context.azure)) {}

  std::string whole() {
    json message{{"role", "assistant"},
                 {"content", reply_.text ? json(*reply_.text) : json(nullptr)},
                 {"refusal", reply_.refusal ? json(*reply_.refusal) : json(nullptr)}};
    if (reply_.reasoning)
      message["reasoning_content"] = *reply_.reasoning;
    for (const auto& call : reply_.calls)
      message["tool_calls"].push_back(
        {{"id", reply_.call_style.empty_ids ? "" : call.id},
         {"type", "function"},
         {"function", {{"name", call.name}, {"arguments", arguments_of(call)}}}});
    json choice{{"index", 0},
                {"message", std::move(message)},
                {"logprobs", nullptr},
                {"finish_reason", reply_.finish_null ? json(nullptr) : json(finish())}};
    auto body = envelope("chat.completion");
    if (azure_) {
      choice["content_filter_results"] = safe_results();
      body["prompt_filter_results"] = prompt_results();
    }
    body["choices"].push_back(std::move(choice));
    if (!reply_.no_usage)
      body["usage"] = usage();
    return body.dump();
  }

  std::vector<reply_event> events() && {
    make_events();
    return std::move(events_);
  }

private:
  [[nodiscard]] std::string finish() const {
    if (!reply_.finish_reason.empty())
      return reply_.finish_reason;
    return reply_.calls.empty() ? "stop" : "tool_calls";
  }

  [[nodiscard]] json usage() const {
    auto bytes = reply_.text.value_or("").size() + reply_.refusal.value_or("").size();
    const auto reasoning = rough_tokens(reply_.reasoning.value_or("").size());
    for (const auto& call : reply_.calls)
      bytes += call.name.size() + call.arguments.size();
    const auto completion = std::max<std::uint64_t>(1, rough_tokens(bytes)) + reasoning;
    json out{{"prompt_tokens", context_.prompt_tokens},
             {"completion_tokens", completion},
             {"total_tokens", context_.prompt_tokens + completion},
             {"prompt_tokens_details", {{"cached_tokens", 0}, {"audio_tokens", 0}}},
             {"completion_tokens_details",
              {{"reasoning_tokens", reasoning},
               {"audio_tokens", 0},
               {"accepted_prediction_tokens", 0},
               {"rejected_prediction_tokens", 0}}}};
    if (!reply_.usage.empty())
      out.merge_patch(json::parse(reply_.usage));
    return out;
  }

  [[nodiscard]] json envelope(const char* object) const {
    return {{"id", context_.id},           {"object", object},
            {"created", context_.created}, {"model", context_.model},
            {"service_tier", "default"},   {"system_fingerprint", "fp_fake"}};
  }

  [[nodiscard]] json arguments_of(const fake_call& call) const {
    if (reply_.call_style.object_arguments && !call.raw)
      return json::parse(call.arguments);
    return call.arguments;
  }

  void chunk(const json& delta, const json& finish_reason, reply_event::kind what) {
    if (before_.empty()) {
      before_ = envelope("chat.completion.chunk").dump();
      before_.pop_back();
      before_ += R"(,"choices":[{"index":0,"delta":)";
      after_ = azure_ ? R"(,"content_filter_results":)" + safe_results().dump() + "}]" : "}]";
      after_ += context_.include_usage ? R"(,"usage":null})" : "}";
    }
    events_.push_back({what, before_ + delta.dump() + R"(,"logprobs":null,"finish_reason":)"
                               + finish_reason.dump() + after_});
  }

  void without_choices(kind what, json body, const char* key, json value) {
    body["choices"] = json::array();
    if (key != nullptr)
      body[key] = std::move(value);
    events_.push_back({what, body.dump()});
  }

  void text_pieces(const char* key, const std::optional<std::string>& text) {
    if (text)
      for (auto& piece : pieces_of(*text, reply_.pace.delta_chars))
        chunk({{key, std::move(piece)}}, nullptr, kind::piece);
  }

  void call_piece(std::size_t index, const std::string* id, const std::string* name,
                  const json& arguments) {
    auto call = json::object();
    if (!reply_.call_style.no_index)
      call["index"] = index;
    if (id != nullptr)
      call["id"] = reply_.call_style.empty_ids ? "" : *id;
    if (name != nullptr) {
      call["type"] = "function";
      call["function"]["name"] = *name;
    }
    call["function"]["arguments"] = arguments;
    json delta;
    delta["tool_calls"].push_back(std::move(call));
    chunk(delta, nullptr, kind::piece);
  }

  void call_pieces(std::size_t index) {
    const auto& call = reply_.calls[index];
    const auto& style = reply_.call_style;
    if (style.whole_call || style.object_arguments)
      return call_piece(index, &call.id, &call.name, arguments_of(call));
    call_piece(index, &call.id, &call.name, "");
    const auto chars = reply_.pace.delta_chars > 0 ? reply_.pace.delta_chars : argument_chars;
    for (const auto& piece : pieces_of(call.arguments, chars))
      call_piece(index, style.repeat_ids ? &call.id : nullptr, nullptr, piece);
  }

  void make_pieces() {
    text_pieces("reasoning_content", reply_.reasoning);
    text_pieces("content", reply_.text);
    text_pieces("refusal", reply_.refusal);
    for (std::size_t i = 0; i < reply_.calls.size(); ++i)
      call_pieces(i);
  }

  void make_events() {
    if (azure_)
      without_choices(kind::lead, {{"id", ""}, {"object", ""}, {"created", 0}, {"model", ""}},
                      "prompt_filter_results", prompt_results());
    if (reply_.empty_choices_first)
      without_choices(kind::lead, envelope("chat.completion.chunk"), nullptr, nullptr);
    chunk({{"role", "assistant"}, {"content", reply_.text ? json("") : json(nullptr)}}, nullptr,
          kind::lead);
    make_pieces();
    chunk(json::object(), reply_.finish_null ? json(nullptr) : json(finish()), kind::finish);
    if (context_.include_usage && !reply_.no_usage)
      without_choices(kind::tail, envelope("chat.completion.chunk"), "usage", usage());
    if (!reply_.no_done)
      events_.push_back({kind::tail, "[DONE]"});
  }

  const fake_reply& reply_;
  const reply_context& context_;
  const bool azure_;
  std::vector<reply_event> events_;
  std::string before_;
  std::string after_;
};

} // namespace

std::vector<reply_event> completion_events(const fake_reply& reply, const reply_context& context) {
  return completion{reply, context}.events();
}

std::string whole_completion(const fake_reply& reply, const reply_context& context) {
  return completion{reply, context}.whole();
}

} // namespace sidevoice
