#include "providers/curl_exchange.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

/// What an exchange asks of libcurl.
namespace sidevoice {

namespace {

struct url_deleter {
  void operator()(CURLU* url) const {
    curl_url_cleanup(url);
  }
};

/// http or https with a host, and no credentials in it: those get into logs.
bool is_good_url(const std::string& text) {
  if (text.find('\0') != std::string::npos
      || !(text.starts_with("http://") || text.starts_with("https://")))
    return false;
  const std::unique_ptr<CURLU, url_deleter> url{curl_url()};
  return url != nullptr
         && curl_url_set(url.get(), CURLUPART_URL, text.c_str(), CURLU_DISALLOW_USER) == CURLUE_OK;
}

bool is_good_field(const http_call::field& field) {
  const auto is_bad = [](char c) { return c == '\r' || c == '\n' || c == '\0'; };
  const auto is_no_token = [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || static_cast<unsigned char>(c) >= 127 || c == ':'
           || c == ';';
  };
  return !field.name.empty() && std::none_of(field.name.begin(), field.name.end(), is_no_token)
         && std::none_of(field.value.begin(), field.value.end(), is_bad);
}

error failure(errc code, std::string detail, const char* reason) {
  return {code, std::move(detail), {}, reason};
}

} // namespace

std::optional<error> curl_exchange::fault() const {
  if (!is_good_url(call_.url))
    return failure(errc::invalid,
                   "the address is no http or https URL without credentials, such as "
                   "https://api.example/v1",
                   "bad_url");
  if (call_.method.empty() || !std::all_of(call_.method.begin(), call_.method.end(), [](char c) {
        return c >= 'A' && c <= 'Z';
      }))
    return failure(errc::invalid, "the method is no word in capital letters, such as POST",
                   "bad_field");
  if (!std::all_of(call_.fields.begin(), call_.fields.end(), is_good_field))
    return failure(errc::invalid,
                   "a header field has a line break in it, or a name with other than letters",
                   "bad_field");
  return std::nullopt;
}

result<CURL*> curl_exchange::prepare(const http_curl_options& options) {
  easy_.reset(curl_easy_init());
  auto* easy = easy_.get();
  if (easy == nullptr || !set_fields())
    return failure(errc::overloaded, "no memory for another outgoing call", "overloaded");
  curl_easy_setopt(easy, CURLOPT_URL, call_.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  // Empty, not unset: unset means the environment's.
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  // Cancelling must not wait for a name server.
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  if (!options.ca_file.empty())
    curl_easy_setopt(easy, CURLOPT_CAINFO, options.ca_file.c_str());
  // libcurl shares this time out among a name's addresses; the deadline itself is ours.
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   std::max<long>(static_cast<long>(call_.connect_deadline.count()), 1L));
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &curl_exchange::on_head_line);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &curl_exchange::on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &curl_exchange::on_socket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, &curl_exchange::on_connected);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, this);
  set_method();
  return easy;
}

void curl_exchange::set_method() {
  auto* easy = easy_.get();
  if (call_.method == "GET" && call_.body.empty()) {
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    return;
  }
  if (call_.method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    return;
  }
  if (call_.method == "POST" || !call_.body.empty()) {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call_.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call_.body.c_str());
  }
  if (call_.method != "POST")
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call_.method.c_str());
}

bool curl_exchange::set_fields() {
  const auto add = [this](const std::string& line) {
    auto* grown = curl_slist_append(fields_.get(), line.c_str());
    if (grown == nullptr)
      return false;
    // The list's head is the same but for the first time.
    static_cast<void>(fields_.release());
    fields_.reset(grown);
    return true;
  };
  bool has_type = false;
  bool has_agent = false;
  for (const auto& [name, value] : call_.fields) {
    has_type = has_type || small_letters(name) == "content-type";
    has_agent = has_agent || small_letters(name) == "user-agent";
    if (!add(value.empty() ? name + ";" : name + ": " + value))
      return false;
  }
  // No round trip before the body, no type that nobody gave.
  if (!add("Expect:") || (!has_type && !add("Content-Type:"))
      || (!has_agent && !add("User-Agent: sidevoice")))
    return false;
  curl_easy_setopt(easy_.get(), CURLOPT_HTTPHEADER, fields_.get());
  return true;
}

} // namespace sidevoice
