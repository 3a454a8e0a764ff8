#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sidevoice {

/// Nesting beyond this is refused, so that nothing that walks a value runs out of stack.
inline constexpr std::size_t json_depth_max = 32;

/// What is wrong with a text that should be JSON. `found` shows at most one character or a key of
/// the text, since its values may be secrets.
struct jsonc_fault {
  std::size_t line = 0;
  std::string key;
  std::string found;
  std::string remedy;
};

/// Where a value stands: its line (from 1) and the path that people know it by.
struct jsonc_position {
  std::size_t line = 0;
  std::string key;
};

/// By dotted path ("checklist.topics[2].type"; "" is the root).
using jsonc_positions = std::map<std::string, jsonc_position>;

struct jsonc_document {
  /// Null when there is a fault.
  std::shared_ptr<nlohmann::ordered_json> root;
  jsonc_positions positions;
  /// A syntax error ends the reading; duplicate keys are all listed.
  std::vector<jsonc_fault> faults;
};

enum class json_dialect {
  /// RFC 8259, without positions: for values from clients and models.
  strict,
  /// With comments and trailing commas, with positions: for files that people write.
  commented
};

/// Reads a JSON text. Refuses duplicate keys, nesting beyond `json_depth_max`, invalid UTF-8 and
/// NUL (also as an escape), and numbers beyond the range of a double. Never throws for bad input.
jsonc_document parse_jsonc(std::string_view text, json_dialect dialect = json_dialect::commented);

/// "parent.key", or `parent["odd key"]` where the key is no plain word.
std::string path_of(const std::string& parent, const std::string& key);
/// "parent[3]".
std::string path_of(const std::string& parent, std::size_t index);

} // namespace sidevoice
