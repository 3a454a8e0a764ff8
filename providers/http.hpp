#pragma once

#include "config/counters.hpp"
#include "config/loop.hpp"
#include "config/result.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// Outgoing HTTP: language models and webhooks. Calls to sinks come on the loop.
namespace sidevoice {

struct http_call {
  std::string method = "POST";
  /// http or https, from configuration only; never made by a model.
  std::string url;
  struct field {
    std::string name;
    std::string value;
  };
  std::vector<field> fields;
  std::string body;
  /// Whose call it is: an app; none of them takes all the exchanges there are. Empty: nobody's.
  std::string owner;
  std::chrono::milliseconds connect_deadline{10'000};
  /// From the start to the first byte of the answer's head; 0: only the whole counts.
  std::chrono::milliseconds first_byte_deadline{0};
  /// The whole exchange; 0: no bound but the caller's own.
  std::chrono::milliseconds deadline{0};
  /// A longer answer is cut off with the outcome `too_large`.
  std::size_t answer_bytes_max = 1 << 20;
  /// False: an address that is loopback, private, link-local or multicast is refused when the
  /// name has been resolved, for each address that is tried.
  bool private_addresses = false;
};

/// The answer's head. Redirects are never followed: a 3xx comes as it is.
struct http_head {
  unsigned status = 0;
  /// Names in small letters.
  std::vector<http_call::field> fields;

  /// Empty without one.
  [[nodiscard]] std::string field(std::string_view name) const;
};

struct http_bytes {
  std::string data;
};

/// The whole answer has come.
struct http_end {};

/// Reasons: "bad_url", "resolve", "connect", "tls", "first_byte", "deadline", "too_large",
/// "private_address", "cut" (the connection broke in mid-answer), "overloaded", "bad_field" (a
/// method or header field that no request can have).
struct http_failed {
  error why;
};

/// One head, any number of bytes, one end; or, at any point, one failure and nothing after it.
using http_event = std::variant<http_head, http_bytes, http_end, http_failed>;

/// Called on the loop, never from inside `start`; must not block and must not throw.
using http_sink = std::function<void(http_event)>;

/// An exchange under way. Destroying it cancels it and closes its connection or stream; a call
/// to the sink already under way may still arrive.
class http_transfer {
public:
  virtual ~http_transfer() = default;
};

class http_client {
public:
  virtual ~http_client() = default;

  /// Any thread; never blocks.
  [[nodiscard]] virtual std::unique_ptr<http_transfer> start(http_call call, http_sink sink) = 0;
};

struct http_curl_options {
  /// PEM file of authorities to trust instead of the system's; empty: the system's.
  std::string ca_file;
  /// Exchanges at once; beyond it: `overloaded`.
  std::size_t transfers_max = 4096;
  /// Of one owner.
  std::size_t owner_transfers_max = 1024;
};

/// libcurl's multi interface on a thread of its own; connections are kept and shared. The loop
/// must outlive it.
std::unique_ptr<http_client> make_http_curl(loop& where, counters& count,
                                            http_curl_options options = {});

} // namespace sidevoice
