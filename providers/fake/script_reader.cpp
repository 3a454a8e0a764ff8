#include "providers/fake/script_reader.hpp"

#include "config/suggest.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace sidevoice {

void script_reader::fault(const std::string& path, const std::string& what) {
  const auto found = document_.positions.find(path);
  std::string where;
  if (found != document_.positions.end())
    where = "line " + std::to_string(found->second.line) + ", ";
  faults_.push_back(where + (path.empty() ? "the script" : path) + ": " + what);
}

void script_reader::object(const json& value, const std::string& path,
                           std::initializer_list<key> keys) {
  if (!value.is_object())
    return fault(path, "write an object in braces");
  for (const auto& [name, item] : value.items()) {
    const auto at = path_of(path, name);
    const auto* found = std::find_if(keys.begin(), keys.end(),
                                     [&name = name](const key& k) { return name == k.first; });
    if (found != keys.end()) {
      found->second(item, at);
      continue;
    }
    std::vector<std::string> names;
    for (const auto& k : keys)
      names.emplace_back(k.first);
    fault(at, "unknown key: " + suggestion(name, names));
  }
}

void script_reader::list(const json& value, const std::string& path, const take& each) {
  if (!value.is_array())
    return fault(path, "write a list in brackets");
  for (std::size_t i = 0; i < value.size(); ++i)
    each(value[i], path_of(path, i));
}

script_reader::take script_reader::text(std::string& out) {
  return [this, &out](const json& value, const std::string& path) {
    if (!value.is_string())
      return fault(path, "write a text in quotes");
    out = value.get<std::string>();
  };
}

script_reader::take script_reader::text(std::optional<std::string>& out) {
  return [this, &out](const json& value, const std::string& path) {
    if (!value.is_string())
      return fault(path, "write a text in quotes");
    out = value.get<std::string>();
  };
}

script_reader::take script_reader::word(std::string& out, std::vector<std::string> words) {
  return [this, &out, words = std::move(words)](const json& value, const std::string& path) {
    const auto given = value.is_string() ? value.get<std::string>() : std::string{};
    if (std::find(words.begin(), words.end(), given) == words.end())
      return fault(path, suggestion(given, words));
    out = given;
  };
}

script_reader::take script_reader::flag(bool& out) {
  return [this, &out](const json& value, const std::string& path) {
    if (!value.is_boolean())
      return fault(path, "write true or false");
    out = value.get<bool>();
  };
}

script_reader::take script_reader::flag(std::optional<bool>& out) {
  return [this, &out](const json& value, const std::string& path) {
    if (!value.is_boolean())
      return fault(path, "write true or false");
    out = value.get<bool>();
  };
}

std::optional<std::uint64_t> script_reader::whole(const json& value, const std::string& path,
                                                  std::uint64_t least, std::uint64_t most) {
  if (value.is_number_integer() && value >= 0) {
    const auto number = value.get<std::uint64_t>();
    if (number >= least && number <= most)
      return number;
  }
  fault(path, "write a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return std::nullopt;
}

} // namespace sidevoice
