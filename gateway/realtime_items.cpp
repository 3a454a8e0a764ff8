#include "gateway/realtime_items.hpp"

#include "gateway/realtime_fields.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <tuple>

namespace sidevoice {

namespace {

using nlohmann::json;
using fault = std::optional<realtime_fault>;

constexpr std::size_t id_bytes_max = 64;
constexpr std::size_t call_id_bytes_max = 128;

fault too_long(const std::string& text, const std::string& param) {
  if (text.size() <= realtime_limits::text_bytes)
    return std::nullopt;
  return realtime_fault{"invalid_value",
                        "The text has " + std::to_string(text.size()) + " bytes; at most "
                          + std::to_string(realtime_limits::text_bytes)
                          + " (128 KiB) are allowed. Send it in parts.",
                        param};
}

fault read_call_id(const json& body, item& out) {
  if (auto wrong = read_text(body, "call_id", "item", out.call_id))
    return wrong;
  if (out.call_id.empty() || out.call_id.size() > call_id_bytes_max)
    return realtime_fault{"invalid_value", "A call_id has 1 to 128 characters.", "item.call_id"};
  return std::nullopt;
}

fault read_call(const json& body, item& out) {
  out.kind = item_kind::function_call;
  if (auto wrong = read_call_id(body, out))
    return wrong;
  if (auto wrong = read_text(body, "name", "item", out.name))
    return wrong;
  if (!is_item_id(out.name))
    return realtime_fault{"invalid_value",
                          "A function's name has 1 to 64 characters of A-Z, a-z, 0-9, _ and -.",
                          "item.name"};
  if (auto wrong = read_text(body, "arguments", "item", out.arguments))
    return wrong;
  return too_long(out.arguments, "item.arguments");
}

fault read_output(const json& body, item& out) {
  out.kind = item_kind::function_call_output;
  if (auto wrong = read_call_id(body, out))
    return wrong;
  if (auto wrong = read_text(body, "output", "item", out.output))
    return wrong;
  return too_long(out.output, "item.output");
}

fault read_role(const json& body, item& out) {
  std::string role;
  if (auto wrong = read_text(body, "role", "item", role))
    return wrong;
  for (const auto known : {item_role::system, item_role::user, item_role::assistant})
    if (role == to_string(known)) {
      out.role = known;
      return std::nullopt;
    }
  return realtime_fault{"invalid_value", "The role is one of system, user and assistant.",
                        "item.role"};
}

fault read_part(const json& part, const std::string& path, item& out) {
  if (!part.is_object())
    return wrong_type(path, "an object such as {\"type\": \"input_text\", \"text\": \"...\"}");
  // Parts without text are audio or images: what is wrong with those is said below.
  if (auto wrong = only_known(part, {"type", "text"}, path); wrong && part.contains("text"))
    return wrong;
  std::string type;
  if (auto wrong = read_text(part, "type", path, type))
    return wrong;
  const std::string expected = out.role == item_role::assistant ? "output_text" : "input_text";
  if (type != expected)
    return realtime_fault{"invalid_value",
                          std::string{"Content of role "} + to_string(out.role) + " is " + expected
                            + " on this server; audio and images are not available yet.",
                          path + ".type"};
  std::string text;
  if (auto wrong = read_text(part, "text", path, text))
    return wrong;
  if (!out.text.empty() && !text.empty())
    out.text += '\n';
  out.text += text;
  return too_long(out.text, path + ".text");
}

fault read_message(const json& body, item& out) {
  out.kind = item_kind::message;
  if (auto wrong = read_role(body, out))
    return wrong;
  const auto content = body.find("content");
  if (content == body.end())
    return missing("item.content");
  if (!content->is_array())
    return wrong_type("item.content", "an array of content parts");
  for (std::size_t i = 0; i < content->size(); ++i)
    if (auto wrong = read_part((*content)[i], at_index("item.content", i), out))
      return wrong;
  if (out.text.empty())
    return realtime_fault{"invalid_value", "The message has no text.", "item.content"};
  return std::nullopt;
}

fault read_item_id(const json& body, item& out) {
  const auto id = body.find("id");
  if (id == body.end() || id->is_null())
    return std::nullopt;
  if (!id->is_string())
    return wrong_type("item.id", "a string");
  out.id = id->get<std::string>();
  if (is_item_id(out.id))
    return std::nullopt;
  return realtime_fault{"invalid_value",
                        "An item id has 1 to 64 characters of A-Z, a-z, 0-9, _ and -.", "item.id"};
}

fault read_status(const json& body) {
  const auto status = body.find("status");
  if (status == body.end() || status->is_null())
    return std::nullopt;
  return one_of(*status, {"completed", "incomplete", "in_progress"}, "item.status");
}

} // namespace

bool is_item_id(std::string_view id) {
  return !id.empty() && id.size() <= id_bytes_max && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'
           || c == '-';
  });
}

json id_or_null(const std::string& id) {
  return id.empty() ? json{} : json(id);
}

json answer_part(bool as_audio, const std::string& text) {
  if (as_audio)
    return {{"type", "audio"}, {"transcript", text}};
  return {{"type", "text"}, {"text", text}};
}

json answer_content(bool as_audio, const std::string& text) {
  if (as_audio)
    return {{"type", "output_audio"}, {"transcript", text}};
  return {{"type", "output_text"}, {"text", text}};
}

namespace {

json message_content(const item& value, bool as_audio) {
  if (value.role == item_role::assistant)
    return answer_content(as_audio && value.spoken, value.text);
  if (value.spoken)
    return {{"type", "input_audio"},
            {"transcript", value.text.empty() ? json{} : json(value.text)}};
  return {{"type", "input_text"}, {"text", value.text}};
}

} // namespace

json item_to_json(const item& value, bool as_audio) {
  json out{{"id", value.id},
           {"object", "realtime.item"},
           {"type", to_string(value.kind)},
           {"status", to_string(value.status)}};
  switch (value.kind) {
    case item_kind::message:
      out["role"] = to_string(value.role);
      out["content"] = json::array({message_content(value, as_audio)});
      break;
    case item_kind::function_call:
      out["call_id"] = value.call_id;
      out["name"] = value.name;
      out["arguments"] = value.arguments;
      break;
    case item_kind::function_call_output:
      out["call_id"] = value.call_id;
      out["output"] = value.output;
      break;
  }
  return out;
}

json open_message(const std::string& id) {
  return {{"id", id},
          {"object", "realtime.item"},
          {"type", "message"},
          {"role", "assistant"},
          {"status", "in_progress"},
          {"content", json::array()}};
}

json open_call(const item& value) {
  auto out = item_to_json(value);
  out["status"] = "in_progress";
  out["arguments"] = "";
  return out;
}

fault item_from_json(const json& body, item& out) {
  if (!body.is_object())
    return wrong_type("item", "an object");
  if (auto wrong = only_known(body,
                              {"id", "object", "type", "role", "status", "content", "call_id",
                               "name", "arguments", "output"},
                              "item"))
    return wrong;
  std::string type;
  if (auto wrong = read_text(body, "type", "item", type))
    return wrong;
  if (auto wrong = read_item_id(body, out))
    return wrong;
  if (auto wrong = read_status(body))
    return wrong;
  if (type == "message")
    return read_message(body, out);
  if (type == "function_call")
    return read_call(body, out);
  if (type == "function_call_output")
    return read_output(body, out);
  return realtime_fault{"invalid_value",
                        "The item's type is one of message, function_call and "
                        "function_call_output.",
                        "item.type"};
}

void item_order::insert(entry fresh) {
  remove(fresh.id);
  const auto place = std::upper_bound(items_.begin(), items_.end(), fresh,
                                      [](const entry& a, const entry& b) {
                                        return std::tie(a.rank, a.id) < std::tie(b.rank, b.id);
                                      });
  items_.insert(place, std::move(fresh));
}

void item_order::put(const std::string& rank, const std::string& id) {
  insert({rank, id, state::put});
}

void item_order::keep_place(const std::string& rank, const std::string& id) {
  insert({rank, id, state::kept});
}

void item_order::show(const std::string& id) {
  for (auto& one : items_)
    if (one.id == id && one.is == state::kept)
      one.is = state::shown;
}

void item_order::drop_place(const std::string& id) {
  std::erase_if(items_, [&](const auto& i) { return i.id == id && i.is != state::put; });
}

std::string item_order::last_rank() const {
  return items_.empty() ? std::string{} : items_.back().rank;
}

bool item_order::remove(const std::string& id) {
  const auto found = std::find_if(items_.rbegin(), items_.rend(),
                                  [&](const auto& i) { return i.id == id; });
  if (found == items_.rend())
    return false;
  const auto was_put = found->is == state::put;
  items_.erase(std::next(found).base());
  return was_put;
}

bool item_order::has(const std::string& id) const {
  return std::any_of(items_.rbegin(), items_.rend(),
                     [&](const auto& i) { return i.id == id && i.is == state::put; });
}

std::string item_order::previous_of(const std::string& id) const {
  const auto found = std::find_if(items_.rbegin(), items_.rend(),
                                  [&](const auto& i) { return i.id == id; });
  const auto before = std::find_if(found == items_.rend() ? items_.rbegin() : std::next(found),
                                   items_.rend(),
                                   [](const auto& i) { return i.is != state::kept; });
  return before == items_.rend() ? std::string{} : before->id;
}

std::vector<std::string> item_order::ids() const {
  std::vector<std::string> out;
  for (const auto& one : items_)
    if (one.is == state::put)
      out.push_back(one.id);
  return out;
}

} // namespace sidevoice
