#include "config/app_fields.hpp"

#include "config/suggest.hpp"
#include "config/topic_text.hpp"

#include <nlohmann/json.hpp>
#include <utf8.h>

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

namespace sidevoice {

namespace {

using nlohmann::ordered_json;

bool is_kind(const ordered_json& value, json_kind kind) {
  switch (kind) {
    case json_kind::text:
      return value.is_string();
    case json_kind::flag:
      return value.is_boolean();
    case json_kind::number:
      return value.is_number();
    case json_kind::list:
      return value.is_array();
    case json_kind::object:
      break;
  }
  return value.is_object();
}

std::string without_last_part(const std::string& path) {
  const auto cut = path.find_last_of(".[");
  return cut == std::string::npos ? "" : path.substr(0, cut);
}

} // namespace

// -- faults ---------------------------------------------------------------------------------------

fault_list::fault_list(std::string file, const jsonc_positions& positions)
    : file_(std::move(file)),
      positions_(positions) {}

void fault_list::fault(const std::string& path, std::string found, std::string remedy) {
  add(path, std::move(found), std::move(remedy), false);
}

void fault_list::warn(const std::string& path, std::string found, std::string remedy) {
  add(path, std::move(found), std::move(remedy), true);
}

void fault_list::add(const std::string& path, std::string found, std::string remedy, bool warning) {
  // A key that is missing has the line of the object it is missing from.
  auto known = path;
  while (!known.empty() && !positions_.contains(known))
    known = without_last_part(known);
  const auto place = positions_.find(known);
  const auto at = place == positions_.end() ? jsonc_position{} : place->second;
  auto rest = path.substr(known.size());
  if (at.key.empty() && rest.starts_with('.'))
    rest.erase(0, 1);
  faults_.push_back({file_, at.line, at.key + rest, std::move(found), std::move(remedy), warning});
}

std::vector<app_fault> fault_list::take() {
  const auto order = [](const app_fault& f) { return std::tie(f.line, f.key, f.found, f.remedy); };
  std::stable_sort(faults_.begin(), faults_.end(),
                   [&](const app_fault& a, const app_fault& b) { return order(a) < order(b); });
  const auto same = [&](const app_fault& a, const app_fault& b) { return order(a) == order(b); };
  faults_.erase(std::unique(faults_.begin(), faults_.end(), same), faults_.end());
  return std::exchange(faults_, {});
}

const char* to_string(json_kind kind) {
  switch (kind) {
    case json_kind::text:
      return "text in double quotes";
    case json_kind::flag:
      return "true or false";
    case json_kind::number:
      return "a number";
    case json_kind::list:
      return "a list: [ ... ]";
    case json_kind::object:
      break;
  }
  return "an object: { ... }";
}

std::string describe_kind(const ordered_json& value) {
  if (value.is_string())
    return "a text";
  if (value.is_number())
    return "a number";
  if (value.is_array())
    return "a list";
  if (value.is_object())
    return "an object";
  return value.dump();
}

std::string describe(const ordered_json& value) {
  if (value.is_structured())
    return describe_kind(value);
  if (!value.is_string())
    return value.dump();
  constexpr std::size_t shown_max = 40;
  const auto& text = value.get_ref<const std::string&>();
  if (length_of(text) <= shown_max)
    return value.dump();
  auto end = text.begin();
  utf8::unchecked::advance(end, shown_max);
  return ordered_json(std::string{text.begin(), end} + "...").dump();
}

// -- fields ---------------------------------------------------------------------------------------

object_fields::object_fields(const ordered_json& object, std::string path, fault_list& faults)
    : object_(object),
      path_(std::move(path)),
      faults_(faults) {
  if (!object_.is_object())
    faults_.fault(path_, describe_kind(object_), "write an object: { ... }");
}

std::string object_fields::path(const std::string& key) const {
  return path_of(path_, key);
}

const ordered_json* object_fields::find(const std::string& key) {
  known_.insert(key);
  if (!object_.is_object())
    return nullptr;
  const auto found = object_.find(key);
  return found == object_.end() ? nullptr : &*found;
}

const ordered_json* object_fields::find(const std::string& key, json_kind kind) {
  const auto* value = find(key);
  if (value == nullptr || is_kind(*value, kind))
    return value;
  // The kind alone: a secret may have landed in the wrong place.
  faults_.fault(path(key), describe_kind(*value), std::string{"write "} + to_string(kind));
  return nullptr;
}

std::optional<std::string> object_fields::text(const std::string& key, std::size_t length_max) {
  const auto* value = find(key, json_kind::text);
  if (value == nullptr)
    return std::nullopt;
  auto out = value->get<std::string>();
  const auto length = length_of(out);
  if (length == 0)
    faults_.fault(path(key), "an empty text", "write something, or remove the key");
  else if (length > length_max)
    faults_.fault(path(key), std::to_string(length) + " characters",
                  "shorten it to " + std::to_string(length_max) + " characters");
  else
    return out;
  return std::nullopt;
}

std::optional<std::string> object_fields::word(const std::string& key,
                                               const std::vector<std::string>& words) {
  const auto* value = find(key, json_kind::text);
  if (value == nullptr)
    return std::nullopt;
  auto out = value->get<std::string>();
  if (std::find(words.begin(), words.end(), out) != words.end())
    return out;
  faults_.fault(path(key), describe(*value), suggestion(out, words));
  return std::nullopt;
}

bool object_fields::flag(const std::string& key, bool otherwise) {
  const auto* value = find(key, json_kind::flag);
  return value == nullptr ? otherwise : value->get<bool>();
}

std::optional<double> object_fields::number(const std::string& key) {
  const auto* value = find(key, json_kind::number);
  return value == nullptr ? std::nullopt : std::optional{value->get<double>()};
}

std::optional<double> object_fields::number(const std::string& key, double min, double max) {
  const auto value = number(key);
  if (!value || (*value >= min && *value <= max))
    return value;
  faults_.fault(path(key), ordered_json(*value).dump(),
                "write a number between " + ordered_json(min).dump() + " and "
                  + ordered_json(max).dump());
  return std::nullopt;
}

std::optional<std::int64_t> object_fields::whole(const std::string& key, std::int64_t min,
                                                 std::int64_t max) {
  const auto value = number(key);
  if (!value)
    return std::nullopt;
  if (std::trunc(*value) == *value && *value >= static_cast<double>(min)
      && *value <= static_cast<double>(max))
    return static_cast<std::int64_t>(*value);
  faults_.fault(path(key), find(key)->dump(),
                "write a whole number between " + std::to_string(min) + " and "
                  + std::to_string(max));
  return std::nullopt;
}

std::vector<std::string> object_fields::words(const std::string& key,
                                              const std::vector<std::string>& known) {
  std::vector<std::string> out;
  const auto* list = find(key, json_kind::list);
  for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
    const auto& value = (*list)[i];
    const auto word = value.is_string() ? value.get<std::string>() : std::string{};
    if (std::find(known.begin(), known.end(), word) == known.end())
      faults_.fault(path_of(path(key), i), describe(value), suggestion(word, known));
    else
      out.push_back(word);
  }
  return out;
}

std::vector<std::string> object_fields::texts(const std::string& key) {
  std::vector<std::string> out;
  const auto* list = find(key, json_kind::list);
  for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
    const auto& value = (*list)[i];
    if (value.is_string() && !value.get_ref<const std::string&>().empty())
      out.push_back(value.get<std::string>());
    else
      faults_.fault(path_of(path(key), i),
                    value.is_string() ? "an empty text" : describe_kind(value),
                    "write text in double quotes");
  }
  return out;
}

void object_fields::later(const std::string& key, json_kind kind) {
  if (find(key, kind) != nullptr)
    faults_.warn(path(key), "a key of a later version", "has no effect yet");
}

void object_fields::require(const std::string& key, const std::string& remedy) {
  if (find(key) == nullptr && object_.is_object())
    faults_.fault(path(key), "nothing", remedy);
}

void object_fields::finish() {
  if (!object_.is_object())
    return;
  const std::vector<std::string> known{known_.begin(), known_.end()};
  for (const auto& member : object_.items()) {
    if (known_.contains(member.key()))
      continue;
    const auto near = closest(member.key(), known);
    faults_.fault(path(member.key()), "an unknown key",
                  near.empty() ? "remove it; keys here: " + listed(known)
                               : "did you mean \"" + near + "\"?");
  }
}

} // namespace sidevoice
