#include "config/app_file.hpp"
#include "config/app_reader.hpp"

#include <nlohmann/json.hpp>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <set>

namespace sidevoice {

namespace {

using nlohmann::ordered_json;

/// Objects below these keys keep their author's order, since it means something: choices are
/// offered in it, conditions read in it, and models fill in a schema's properties in it.
const std::set<std::string>& ordered_keys() {
  static const std::set<std::string> keys = {"choices", "when", "schema", "parameters"};
  return keys;
}

/// The same value with its keys sorted.
ordered_json sorted(const ordered_json& value) {
  if (value.is_array()) {
    auto out = ordered_json::array();
    for (const auto& entry : value)
      out.push_back(sorted(entry));
    return out;
  }
  if (!value.is_object())
    return value;
  std::vector<std::string> keys;
  for (const auto& member : value.items())
    keys.push_back(member.key());
  std::sort(keys.begin(), keys.end());
  auto out = ordered_json::object();
  for (const auto& key : keys)
    out[key] = ordered_keys().contains(key) ? value.at(key) : sorted(value.at(key));
  return out;
}

void inline_instructions(ordered_json& root, const char* agent, const std::string& text) {
  if (root.contains(agent) && root[agent].contains("instructions"))
    root[agent]["instructions"] = text;
}

error damaged(const std::string& why) {
  return {errc::damaged, "the stored release cannot be read: " + why, {}, "release"};
}

} // namespace

json_text make_release_body(const ordered_json& root, const app_definition& app) {
  auto what = root;
  for (const auto* key : {"$schema", "live", "profiles"})
    what.erase(key);
  inline_instructions(what, "conversation", app.conversation_instructions);
  inline_instructions(what, "analyzer", app.analyzer_instructions);
  return sorted(what).dump();
}

std::string release_digest(const json_text& body) {
  std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
  crypto_hash_sha256(digest.data(), reinterpret_cast<const unsigned char*>(body.data()),
                     body.size());
  std::array<char, digest.size() * 2 + 1> hex{};
  sodium_bin2hex(hex.data(), hex.size(), digest.data(), digest.size());
  return std::string{"sha256:"} + hex.data();
}

result<app_ptr> read_release(const json_text& body) {
  const auto document = parse_jsonc(body, json_dialect::strict);
  if (!document.root || !document.root->is_object())
    return damaged("it is no JSON object");
  for (const auto* key : {"live", "profiles"})
    if (document.root->contains(key))
      return damaged(std::string{"it holds \""} + key + "\", which no release does");
  fault_list faults{"release", document.positions};
  const app_source source{{}, "release", {}, false, true, nullptr};
  live_settings unused;
  auto app = read_app(*document.root, source, unused, faults);
  for (const auto& fault : faults.take())
    if (!fault.warning)
      return damaged(fault.key + ": found " + fault.found + ": " + fault.remedy);
  app.release = release_digest(body);
  app.release_body = body;
  return std::make_shared<const app_definition>(std::move(app));
}

} // namespace sidevoice
