#include "config/app_reader.hpp"

#include <nlohmann/json.hpp>

#include <utility>
#include <vector>

namespace sidevoice {

namespace {

using nlohmann::ordered_json;

bool is_below(const std::string& path, const std::string& parent) {
  if (!path.starts_with(parent))
    return false;
  return path.size() == parent.size() || path[parent.size()] == '.' || path[parent.size()] == '[';
}

/// The positions of `from` and all below it take the place of those of `to`.
void move_positions(jsonc_positions& positions, const std::string& from, const std::string& to) {
  std::erase_if(positions, [&](const auto& entry) { return is_below(entry.first, to); });
  std::vector<std::pair<std::string, jsonc_position>> moved;
  for (const auto& [path, position] : positions)
    if (is_below(path, from))
      moved.emplace_back(to + path.substr(from.size()), position);
  for (auto& [path, position] : moved)
    positions[path] = std::move(position);
}

/// Lays `over` (found at `from`) over the object `base` (found at `to`).
void merge(ordered_json& base, const ordered_json& over, const std::string& to,
           const std::string& from, jsonc_positions& positions) {
  for (const auto& member : over.items()) {
    const auto target = path_of(to, member.key());
    const auto source = path_of(from, member.key());
    const auto known = base.find(member.key());
    if (known != base.end() && known->is_object() && member.value().is_object()) {
      merge(*known, member.value(), target, source, positions);
      continue;
    }
    base[member.key()] = member.value();
    move_positions(positions, source, target);
  }
}

} // namespace

bool merge_profile(ordered_json& root, jsonc_positions& positions, const std::string& profile) {
  if (!root.contains("profiles") || !root["profiles"].contains(profile))
    return false;
  const auto over = root["profiles"][profile];
  if (!over.is_object())
    return false;
  merge(root, over, "", path_of("profiles", profile), positions);
  return true;
}

} // namespace sidevoice
