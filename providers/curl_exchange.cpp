#include "providers/curl_exchange.hpp"

#include "providers/http_address.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace sidevoice {

namespace {

constexpr std::size_t head_bytes_max = 64 << 10;

std::string_view trim(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

error failure(errc code, std::string detail, const char* reason) {
  return {code, std::move(detail), {}, reason};
}

} // namespace

curl_exchange::curl_exchange(loop& where, counters& count, http_call call, http_sink sink)
    : where_(where),
      count_(count),
      call_(std::move(call)),
      sink_(std::make_shared<http_sink>(std::move(sink))) {}

curl_exchange::~curl_exchange() = default;

curl_exchange::clock::time_point curl_exchange::next_deadline() const {
  auto next = clock::time_point::max();
  const auto take = [&](std::chrono::milliseconds deadline) {
    if (deadline.count() > 0)
      next = std::min(next, begin_ + deadline);
  };
  if (!is_connected_)
    take(call_.connect_deadline);
  if (!has_head_)
    take(call_.first_byte_deadline);
  take(call_.deadline);
  return next;
}

std::optional<error> curl_exchange::expired(clock::time_point now) const {
  const auto has_passed = [&](std::chrono::milliseconds deadline) {
    return deadline.count() > 0 && now >= begin_ + deadline;
  };
  if (has_passed(call_.deadline))
    return failure(errc::unavailable, "the answer did not come to its end in time", "deadline");
  if (!is_connected_ && has_passed(call_.connect_deadline))
    return connect_fault("in time");
  if (!has_head_ && has_passed(call_.first_byte_deadline))
    return failure(errc::unavailable, "no answer began in time", "first_byte");
  return std::nullopt;
}

void curl_exchange::finish(CURLcode code) {
  if (is_over_)
    return;
  if (code != CURLE_OK || !has_head_)
    return fail(meaning_of(code));
  is_over_ = true;
  post(http_end{});
  release();
}

/// What the call took is not needed while its owner still looks at the answer.
void curl_exchange::release() {
  easy_.reset();
  fields_.reset();
  call_ = {};
}

void curl_exchange::fail(error why) {
  if (is_over_)
    return;
  is_over_ = true;
  if (!is_dropped_->load())
    count_.add(counter::http_failed);
  post(http_failed{std::move(why)});
  release();
}

error curl_exchange::connect_fault(const char* what) const {
  curl_off_t looked_up = 0;
  if (easy_ != nullptr)
    curl_easy_getinfo(easy_.get(), CURLINFO_NAMELOOKUP_TIME_T, &looked_up);
  if (looked_up == 0)
    return failure(errc::unavailable, std::string{"the server's name was not resolved "} + what,
                   "resolve");
  return failure(errc::unavailable, std::string{"no connection to the server came about "} + what,
                 "connect");
}

error curl_exchange::meaning_of(CURLcode code) const {
  if (is_too_large_)
    return failure(errc::unavailable,
                   "the answer is longer than " + std::to_string(call_.answer_bytes_max) + " bytes",
                   "too_large");
  if (is_private_)
    return failure(errc::invalid,
                   "the address leads into a private network, which this call may not reach",
                   "private_address");
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return failure(errc::unavailable, "the server's name is not known", "resolve");
    case CURLE_COULDNT_CONNECT:
      return failure(errc::unavailable, "the server takes no connection", "connect");
    case CURLE_OPERATION_TIMEDOUT:
      return connect_fault("in time");
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ENGINE_INITFAILED:
      return failure(errc::unavailable,
                     "the server's certificate is not valid or not trusted here, or it speaks no "
                     "TLS 1.2",
                     "tls");
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      // libcurl's word for an answer that is no HTTP, too.
      if (is_connected_)
        return failure(errc::unavailable, "the server answered with something that is no HTTP",
                       "cut");
      return failure(errc::invalid, "the address is no http or https URL", "bad_url");
    case CURLE_OUT_OF_MEMORY:
      return failure(errc::overloaded, "no memory for another outgoing call", "overloaded");
    default:
      return failure(errc::unavailable,
                     std::string{"the connection broke in mid-answer: "} + curl_easy_strerror(code),
                     "cut");
  }
}

std::string curl_exchange::small_letters(std::string_view text) {
  std::string out{text};
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

std::size_t curl_exchange::on_head_line(char* data, std::size_t size, std::size_t n, void* self) {
  return static_cast<curl_exchange*>(self)->take_head_line({data, size * n}) ? size * n : 0;
}

bool curl_exchange::take_head_line(std::string_view line) {
  // Trailers behind the body.
  if (has_head_)
    return true;
  head_bytes_ += line.size();
  is_too_large_ = head_bytes_ > head_bytes_max;
  if (is_too_large_)
    return false;
  if (line.starts_with("HTTP/")) {
    head_ = {};
    if (const auto space = line.find(' '); space != std::string_view::npos) {
      const auto* first = line.data() + space + 1;
      std::from_chars(first, line.data() + line.size(), head_.status);
    }
    return true;
  }
  if (trim(line).empty()) {
    // 100 and 103 come before the answer's own head.
    has_head_ = head_.status >= 200 || head_.status < 100;
    if (has_head_)
      post(std::move(head_));
    return true;
  }
  if (const auto colon = line.find(':'); colon != std::string_view::npos)
    head_.fields.push_back(
      {small_letters(trim(line.substr(0, colon))), std::string{trim(line.substr(colon + 1))}});
  return true;
}

std::size_t curl_exchange::on_body(char* data, std::size_t size, std::size_t n, void* self) {
  return static_cast<curl_exchange*>(self)->take_body({data, size * n}) ? size * n : 0;
}

bool curl_exchange::take_body(std::string_view data) {
  body_bytes_ += data.size();
  is_too_large_ = body_bytes_ > call_.answer_bytes_max;
  // Also an answer that nobody waits for any more.
  if (is_too_large_ || is_dropped_->load())
    return false;
  post(http_bytes{std::string{data}});
  return true;
}

curl_socket_t curl_exchange::on_socket(void* self, curlsocktype, curl_sockaddr* address) {
  auto* me = static_cast<curl_exchange*>(self);
  if (!me->call_.private_addresses && !is_public_address(&address->addr)) {
    me->is_private_ = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/// Before the request leaves, also on a kept connection: one that another call was allowed to make
/// is none for a call that is not.
int curl_exchange::on_connected(void* self, char* remote, char*, int, int) {
  auto* me = static_cast<curl_exchange*>(self);
  me->is_connected_ = true;
  me->is_private_ = !me->call_.private_addresses && !is_public_address(std::string{remote});
  return me->is_private_ ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

void curl_exchange::post(http_event event) {
  where_.post([sink = sink_, dropped = is_dropped_, event = std::move(event)]() mutable {
    if (dropped->load())
      return;
    if (!std::holds_alternative<http_end>(event) && !std::holds_alternative<http_failed>(event))
      return (*sink)(std::move(event));
    // The last one: what the sink holds goes with it, also where that is the transfer itself.
    const auto last = std::exchange(*sink, nullptr);
    last(std::move(event));
  });
}

} // namespace sidevoice
