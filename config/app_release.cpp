#include "config/app_reader.hpp"

#include <nlohmann/json.hpp>
#include <sodium.h>

#include <array>

namespace sidevoice {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

/// An object whose order is its author's (choices are offered in it) as a list of pairs.
ordered_json as_pairs(const ordered_json& object) {
  auto out = ordered_json::array();
  for (const auto& member : object.items())
    out.push_back(ordered_json::array({member.key(), member.value()}));
  return out;
}

void inline_instructions(ordered_json& root, const char* agent, const std::string& text) {
  if (root.contains(agent) && root[agent].contains("instructions"))
    root[agent]["instructions"] = text;
}

} // namespace

std::string release_digest(const ordered_json& root, const app_definition& app) {
  auto what = root;
  for (const auto* key : {"$schema", "live", "profiles"})
    what.erase(key);
  inline_instructions(what, "conversation", app.conversation_instructions);
  inline_instructions(what, "analyzer", app.analyzer_instructions);
  for (auto& topic : what["checklist"]["topics"])
    if (topic.contains("choices"))
      topic["choices"] = as_pairs(topic["choices"]);
  const auto canonical = json(what).dump();

  std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
  crypto_hash_sha256(digest.data(), reinterpret_cast<const unsigned char*>(canonical.data()),
                     canonical.size());
  std::array<char, digest.size() * 2 + 1> hex{};
  sodium_bin2hex(hex.data(), hex.size(), digest.data(), digest.size());
  return std::string{"sha256:"} + hex.data();
}

} // namespace sidevoice
