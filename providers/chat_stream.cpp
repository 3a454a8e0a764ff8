#include "providers/chat_stream.hpp"

#include "providers/vendor_fault.hpp"
#include "providers/vendor_json.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace sidevoice {

using nlohmann::json;

namespace {

constexpr std::size_t id_bytes_max = 128;
constexpr std::size_t name_bytes_max = 128;

error bad_answer(const char* what) {
  return {errc::unavailable,
          std::string{"the model's answer is not to be read: "} + what,
          {},
          "bad_answer"};
}

error too_large(const std::string& what) {
  return {errc::unavailable, "the model's answer is too large: " + what, {}, "too_large"};
}

/// Whether a call's arguments came to their end.
bool is_whole(const std::string& arguments) {
  return read_vendor_json(arguments).has_value();
}

} // namespace

std::vector<llm_event> chat_stream::take(std::string_view data) {
  events out;
  if (is_over_)
    return out;
  while (!data.empty() && (data.back() == ' ' || data.back() == '\n'))
    data.remove_suffix(1);
  if (data.empty())
    return out;
  if (data == "[DONE]") {
    // Some servers end without a reason; the mark is theirs, so nothing was cut off.
    if (finish_.empty() && (has_said_ || !calls_.empty()))
      take_finish("stop", out);
    auto last = end();
    std::move(last.begin(), last.end(), std::back_inserter(out));
    return out;
  }
  if (const auto value = read_vendor_json(data))
    take_value(*value, out);
  else
    fail(bad_answer("an event holds no JSON"), out);
  return out;
}

std::vector<llm_event> chat_stream::take_last(std::string_view data) {
  if (data != "[DONE]" && !read_vendor_json(data))
    return {};
  return take(data);
}

std::vector<llm_event> chat_stream::end() {
  events out;
  if (is_over_)
    return out;
  if (!finish_.empty())
    say_done(out);
  else
    fail({errc::unavailable, "the connection to the model broke off in mid-answer", {}, "cut"},
         out);
  return out;
}

std::vector<llm_event> chat_stream::take_whole(std::string_view body) {
  auto out = take(body);
  if (is_over_)
    return out;
  auto last = has_finish() ? end() : events{};
  std::move(last.begin(), last.end(), std::back_inserter(out));
  if (!is_over_)
    fail(bad_answer("it holds no choices"), out);
  return out;
}

void chat_stream::take_value(const json& value, events& out) {
  if (!value.is_object())
    return fail(bad_answer("an event is no JSON object"), out);
  const auto* wrong = member(value, "error");
  if (wrong != nullptr && !wrong->is_null())
    return take_fault(*wrong, out);
  if (text_at(value, "object") == "error")
    return take_fault(value, out);
  if (const auto* usage = member(value, "usage"))
    take_usage(*usage);
  const auto* choices = member(value, "choices");
  if (choices == nullptr || !choices->is_array())
    return;
  for (const auto& choice : *choices)
    if (count_at(choice, "index") == 0 && !is_over_)
      take_choice(choice, out);
}

void chat_stream::take_fault(const json& fault, events& out) {
  auto why = vendor_error(0, read_vendor_fault(fault), options_.vendor, options_.secret);
  if (why.reason != "content_filter")
    return fail(std::move(why), out);
  calls_.clear();
  finish_ = why.reason;
  say_done(out);
}

void chat_stream::take_choice(const json& choice, events& out) {
  if (!finish_.empty())
    return;
  const auto* delta = member(choice, "delta");
  const auto* whole = member(choice, "message");
  if (delta != nullptr)
    take_delta(*delta, out);
  else if (whole != nullptr)
    take_delta(*whole, out);
  if (is_over_)
    return;
  auto reason = text_at(choice, "finish_reason");
  // An answer that came whole is at its end, whether it says so or not.
  if (reason.empty() && delta == nullptr && whole != nullptr)
    reason = "stop";
  if (!reason.empty())
    take_finish(reason, out);
}

void chat_stream::take_delta(const json& delta, events& out) {
  if (const auto* content = member(delta, "content"))
    take_content(*content, out);
  say(text_at(delta, "refusal"), out);
  // Reasoning is paid for, and never said.
  for (const auto* key : {"reasoning_content", "reasoning"})
    pieces_ += text_at(delta, key).empty() ? 0 : 1;
  const auto* calls = member(delta, "tool_calls");
  if (calls != nullptr && calls->is_array())
    for (const auto& piece : *calls)
      if (!is_over_)
        take_call(piece, out);
  // The form of before there were tools.
  const auto* function = member(delta, "function_call");
  if (function != nullptr && function->is_object() && !is_over_)
    take_call(json{{"index", 0}, {"function", *function}}, out);
}

void chat_stream::take_content(const json& content, events& out) {
  if (content.is_string())
    return say(without_nul(content.get<std::string>()), out);
  if (!content.is_array())
    return;
  for (const auto& part : content)
    if (const auto type = text_at(part, "type"); type == "text" || type == "output_text")
      say(text_at(part, "text"), out);
}

void chat_stream::say(std::string text, events& out) {
  if (text.empty() || is_over_)
    return;
  text_bytes_ += text.size();
  if (text_bytes_ > options_.text_bytes_max)
    return fail(too_large("over " + std::to_string(options_.text_bytes_max) + " bytes of text"),
                out);
  ++pieces_;
  has_said_ = true;
  out.emplace_back(llm_text{std::move(text)});
}

chat_stream::call_parts* chat_stream::slot_of(const json& piece, const std::string& id,
                                              const std::string& name) {
  const auto* given = member(piece, "index");
  const bool has_index = given != nullptr && given->is_number_integer();
  const auto index = has_index ? given->get<std::int64_t>() : -1;
  // The newest first: some servers count every call as 0 and give it a new id.
  for (auto it = calls_.rbegin(); it != calls_.rend(); ++it) {
    if (has_index && it->index != index)
      continue;
    if (!id.empty() && it->id == id)
      return &*it;
    if (!id.empty() && !it->id.empty()) {
      if (has_index)
        break;
      continue;
    }
    // No ids to compare: another name begins another call, and without an index any name does.
    if (!name.empty() && !it->name.empty() && (!has_index || name != it->name))
      break;
    return &*it;
  }
  if (calls_.size() >= options_.calls_max)
    return nullptr;
  return &calls_.emplace_back(call_parts{index, {}, {}, {}});
}

void chat_stream::take_call(const json& piece, events& out) {
  if (!piece.is_object())
    return;
  const auto* function = member(piece, "function");
  const auto id = text_at(piece, "id");
  const auto name = function == nullptr ? std::string{} : text_at(*function, "name");
  auto* call = slot_of(piece, id, name);
  if (call == nullptr)
    return fail(too_large("over " + std::to_string(options_.calls_max) + " calls"), out);
  if (call->id.empty() && id.size() <= id_bytes_max)
    call->id = id;
  if (function != nullptr)
    take_function(*call, *function, out);
}

void chat_stream::take_function(call_parts& call, const json& function, events& out) {
  if (call.name.empty())
    call.name = text_at(function, "name");
  if (call.name.size() > name_bytes_max)
    return fail(bad_answer("a call's function name is too long"), out);
  const auto* arguments = member(function, "arguments");
  if (arguments == nullptr || arguments->is_null())
    return;
  ++pieces_;
  if (arguments->is_string())
    call.arguments += without_nul(arguments->get<std::string>());
  else
    call.arguments += arguments->dump();
  if (call.arguments.size() > options_.arguments_bytes_max)
    fail(too_large("a call has over " + std::to_string(options_.arguments_bytes_max)
                   + " bytes of arguments"),
         out);
}

void chat_stream::take_finish(const std::string& reason, events& out) {
  if (reason == "error")
    return fail(
      {errc::unavailable, "the vendor ended its answer with an error", {}, "server_error"}, out);
  finish_ = "stop";
  if (reason == "length" || reason == "max_tokens")
    finish_ = "length";
  if (reason == "content_filter")
    finish_ = reason;
  say_calls(out);
}

void chat_stream::say_calls(events& out) {
  // What the filter has stopped is not done.
  if (finish_ == "content_filter")
    calls_.clear();
  // The last call of an answer that ran out of tokens is half, unless it happens to be whole.
  if (finish_ == "length" && !calls_.empty() && !is_whole(calls_.back().arguments))
    calls_.pop_back();
  for (const auto& call : calls_)
    if (call.name.empty())
      return fail(bad_answer("a call names no function"), out);
  for (auto& call : calls_)
    out.emplace_back(llm_call{unique_id(call.id), call.name,
                              call.arguments.empty() ? "{}" : std::move(call.arguments)});
}

std::string chat_stream::unique_id(const std::string& given) {
  auto id = given;
  while (id.empty() || options_.taken_ids.contains(id))
    id = ids_.make("call");
  options_.taken_ids.insert(id);
  return id;
}

void chat_stream::take_usage(const json& usage) {
  if (!usage.is_object())
    return;
  has_usage_ = true;
  usage_.input_tokens = count_at(usage, "prompt_tokens");
  usage_.output_tokens = count_at(usage, "completion_tokens");
  usage_.cached_tokens = 0;
  if (const auto* details = member(usage, "prompt_tokens_details"))
    usage_.cached_tokens = std::min(count_at(*details, "cached_tokens"), usage_.input_tokens);
}

void chat_stream::say_done(events& out) {
  is_over_ = true;
  auto done = usage_;
  done.reason = finish_;
  // Nothing is free because a server does not count.
  if (!has_usage_ || (done.input_tokens == 0 && done.output_tokens == 0)) {
    done.input_tokens = options_.input_tokens_estimate;
    done.output_tokens = pieces_;
  }
  out.emplace_back(std::move(done));
}

void chat_stream::fail(error why, events& out) {
  if (is_over_)
    return;
  is_over_ = true;
  out.emplace_back(llm_failed{std::move(why)});
}

} // namespace sidevoice
