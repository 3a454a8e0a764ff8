#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Reading JSON that a vendor sent: whatever it holds, nothing here throws.
namespace sidevoice {

/// Bytes that are no UTF-8, and escaped halves of surrogate pairs, become U+FFFD. Nothing for text
/// that is no JSON or nests deeper than 64.
std::optional<nlohmann::json> read_vendor_json(std::string_view bytes);

/// The member; null where `value` is no object or has none of that name.
const nlohmann::json* member(const nlohmann::json& value, const char* key);

/// The member's text, without NUL (the journal takes none: it becomes U+FFFD); empty where it is no
/// text.
std::string text_at(const nlohmann::json& value, const char* key);

/// The member as a count; 0 where it is none.
std::uint64_t count_at(const nlohmann::json& value, const char* key);

/// Without NUL: it becomes U+FFFD.
std::string without_nul(std::string text);

} // namespace sidevoice
