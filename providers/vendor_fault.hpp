#pragma once

#include "config/result.hpp"
#include "providers/http.hpp"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// What a vendor's refusal means, and whether asking again can help. Plain functions.
namespace sidevoice {

/// An error body of the OpenAI shape, or of what proxies make of it.
struct vendor_fault {
  std::string message = {};
  std::string type = {};
  std::string code = {};
  std::string param = {};
};

/// From the body of an answer that is no success; the message falls back to its first 500 bytes.
vendor_fault read_vendor_fault(std::string_view body);
/// From the value of an "error" member, or the object that holds the fields itself.
vendor_fault read_vendor_fault(const nlohmann::json& value);

/// The error for people and machines. Holds nothing that the vendor wrote but short names of codes:
/// messages can repeat a key or what a visitor said. `vendor` is the name in the app file.
/// Reasons: "invalid_api_key", "forbidden", "model_not_found", "context_length_exceeded",
/// "content_filter", "request_too_large", "bad_request", "rate_limit", "insufficient_quota",
/// "timeout", "conflict", "redirect", "server_error". Status 0 or 200: an error in mid-stream.
/// Parts of `secret`, the vendor's key, do not get into it.
error vendor_error(unsigned status, const vendor_fault& fault, const std::string& vendor,
                   std::string_view secret = {});

/// Asking again can help: as the answer's `x-should-retry` says, else by status; never without
/// money.
bool is_worth_retrying(const http_head& head, const error& why);

/// How long to wait before retry number `retry` (0, 1, ...): retry-after-ms, else retry-after
/// (seconds or a date), where that is 0 to 60 s; else 0.5 s x 2^retry, at most 8 s, less up to a
/// quarter by `random`.
std::chrono::milliseconds retry_wait(const http_head& head, unsigned retry, std::uint64_t random,
                                     loop::wall_clock::time_point wall);

/// A short name made of letters, digits, `_`, `-`, `.` and `:`; empty where `text` is none, or
/// where it shares eight characters in a row with `secret`.
std::string safe_name(std::string_view text, std::string_view secret = {});

} // namespace sidevoice
