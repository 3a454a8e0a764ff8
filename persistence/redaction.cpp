#include "persistence/redaction.hpp"

#include "config/id_shape.hpp"
#include "config/time_zone.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <functional>

namespace sidevoice {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

/// Of a shape: what is longer or deeper is cut off.
constexpr std::size_t members_max = 16;
constexpr int depth_max = 4;

bool is_one_of(const std::set<std::string>& known, const std::string& key) {
  return known.count(key) != 0;
}

const std::set<std::string> id_keys = {"id",     "item", "response", "call",    "call_id",
                                       "stream", "edit", "app",      "release", "rank"};
const std::set<std::string> word_keys = {"kind",    "role", "status", "reason",
                                         "outcome", "by",   "runner", "resumes"};
const std::set<std::string> name_keys = {"name", "topic"};
const std::set<std::string> json_keys = {"arguments", "value", "result"};

/// Of an app's declaration: keys whose texts are names and kinds.
const std::set<std::string> plain_keys = {"app",      "id",     "type",  "kind",   "effect",
                                          "language", "vendor", "model", "runner", "status"};
/// Keys that hold nothing but names.
const std::set<std::string> name_lists = {"models", "tools"};

std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
  }));
}

/// "de", "pt-BR": what a language is, and no longer.
bool is_language(const std::string& text) {
  constexpr std::size_t first_max = 3;
  constexpr std::size_t length_max = 11;
  const auto dash = std::min(text.find('-'), text.size());
  return text.size() <= length_max && dash >= 2 && dash <= first_max && has_id_shape(text);
}

std::string shape(const json& value, int depth) {
  if (value.is_string())
    return "text of " + std::to_string(characters(value.get_ref<const std::string&>()))
           + " characters";
  if (value.is_number())
    return "number";
  if (value.is_boolean())
    return "flag";
  if (!value.is_structured())
    return "null";
  auto out = (value.is_object() ? "object of " : "list of ") + std::to_string(value.size());
  if (depth >= depth_max || value.empty())
    return out;
  std::size_t shown = 0;
  for (const auto& member : value) {
    out += (shown == 0 ? ": " : ", ");
    if (++shown > members_max)
      return out + "...";
    const auto inner = shape(member, depth + 1);
    out += member.is_structured() ? '[' + inner + ']' : inner;
  }
  return out;
}

ordered_json plain_app(const ordered_json& value, const std::string& key, bool names) {
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    return (names || is_one_of(plain_keys, key)) && has_id_shape(text) ? text
                                                                       : redaction::length_of(text);
  }
  if (!value.is_structured())
    return value;
  if (value.is_array()) {
    auto out = ordered_json::array();
    for (const auto& member : value)
      out.push_back(plain_app(member, key, names || is_one_of(name_lists, key)));
    return out;
  }
  auto out = ordered_json::object();
  // Lists below "models" are names; what stands below "tools" may be declarations.
  for (const auto& member : value.items())
    out[member.key()] = plain_app(member.value(), member.key(), key == "models");
  return out;
}

} // namespace

std::string redaction::length_of(const std::string& text) {
  return '[' + std::to_string(characters(text)) + " characters]";
}

std::string redaction::word(const std::string& text) {
  constexpr std::size_t length_max = 40;
  const auto is_ours = text.size() <= length_max
                       && std::all_of(text.begin(), text.end(), [](char c) {
                            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
                          });
  return is_ours ? text : length_of(text);
}

std::string redaction::name(const std::string& text) const {
  return is_one_of(names_, text) ? text : length_of(text);
}

std::string redaction::id(const std::string& text) {
  if (text.empty() || has_id_shape(text))
    return text;
  const auto [known, fresh] = aliases_.try_emplace(text);
  if (fresh)
    known->second = "[id " + std::to_string(aliases_.size()) + ']';
  return known->second;
}

std::string redaction::shape_of(const json_text& text) {
  if (text.empty())
    return {};
  const auto value = json::parse(text, nullptr, false);
  if (value.is_discarded())
    return "[no JSON, " + std::to_string(characters(text)) + " characters]";
  return '[' + shape(value, 0) + ']';
}

json_text redaction::event(const event_body& body) {
  auto whole = json::parse(encode(body), nullptr, false);
  const auto text_under = [this](const std::string& key, const std::string& text) {
    if (is_one_of(id_keys, key) || key == "cause")
      return id(text);
    if (is_one_of(word_keys, key))
      return word(text);
    if (is_one_of(name_keys, key))
      return name(text);
    if (is_one_of(json_keys, key))
      return shape_of(text);
    if ((key == "locale" && is_language(text)) || (key == "zone" && time_zone::load(text)))
      return text;
    return length_of(text);
  };
  const std::function<void(json&, const std::string&)> walk = [&](json& value,
                                                                  const std::string& key) {
    if (value.is_string())
      value = text_under(key, value.get<std::string>());
    else if (value.is_array())
      for (auto& member : value)
        walk(member, key);
    else if (value.is_object())
      for (auto& member : value.items())
        walk(member.value(), member.key());
  };
  walk(whole, {});
  return whole.is_discarded() ? "null" : whole.dump();
}

json_text redaction::app(const json_text& body) {
  const auto whole = ordered_json::parse(body, nullptr, false);
  return whole.is_discarded() ? "null" : plain_app(whole, {}, false).dump();
}

std::set<std::string> names_of_app(const json_text& body) {
  std::set<std::string> names = {"update_topic", "current_date_time", "end_session",
                                 "transfer_to_person"};
  const auto whole = json::parse(body, nullptr, false);
  if (!whole.is_object())
    return names;
  if (const auto tools = whole.find("tools"); tools != whole.end() && tools->is_object())
    for (const auto& tool : tools->items())
      names.insert(tool.key());
  for (const auto* agent : {"conversation", "analyzer"}) {
    const auto found = whole.find(agent);
    if (found == whole.end() || !found->is_object() || !found->contains("tools"))
      continue;
    for (const auto& tool : found->at("tools"))
      if (tool.is_string())
        names.insert(tool.get<std::string>());
  }
  const auto checklist = whole.find("checklist");
  if (checklist != whole.end() && checklist->is_object() && checklist->contains("topics"))
    for (const auto& topic : checklist->at("topics"))
      if (topic.is_object() && topic.contains("id") && topic.at("id").is_string())
        names.insert(topic.at("id").get<std::string>());
  return names;
}

} // namespace sidevoice
