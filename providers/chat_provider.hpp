#pragma once

#include "providers/chat_request.hpp"
#include "providers/llm.hpp"

#include <memory>
#include <string>
#include <vector>

namespace sidevoice {

/// One vendor's Chat Completions endpoint, as its factory has worked it out.
struct chat_endpoint {
  /// The name in the app file, for sentences.
  std::string vendor;
  /// Of /chat/completions.
  std::string url;
  /// With the key; never printed.
  std::vector<http_call::field> fields;
  std::string key;
  /// The address is from the configuration: it may be in a private network.
  bool private_addresses = false;
  chat_dialect dialect;
  chat_options options;
};

/// A provider that asks this endpoint, by the rules that all of them share: at most two retries
/// before anything of an answer was used, within `failover.first_byte`; `failover.stall` between
/// events; one more try with a shorter history where the context is too long.
///
/// llm_failed reasons: those of vendor_error() and of chat_stream, "first_byte", "stall", "cut",
/// "bad_answer", "resolve", "connect", "tls", "overloaded". `open` answers `unavailable`, reason
/// "no_network", without an http client.
std::unique_ptr<llm_provider> make_chat_provider(const provider_context& context,
                                                 chat_endpoint endpoint);

/// Error `invalid`, reason "bad_key", for a key that no header can carry; never repeats it.
std::optional<error> key_fault(const std::string& vendor, const std::string& key);

/// Error `invalid`, reason "bad_url", param `field`, for what is no http or https URL, or has
/// credentials, a query or a fragment.
std::optional<error> url_fault(const std::string& field, const std::string& url);

/// With exactly one slash between them.
std::string join_url(const std::string& base, const std::string& path);

} // namespace sidevoice
