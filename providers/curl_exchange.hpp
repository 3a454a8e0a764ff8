#pragma once

#include "providers/http.hpp"

#include <curl/curl.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

/// One exchange of http_curl.cpp; internal to it.
namespace sidevoice {

/// Owned by the transfer's handle, by the client's thread while it is under way, and by what is
/// posted. Everything but `drop` and the constructor belongs to the client's thread.
class curl_exchange : public std::enable_shared_from_this<curl_exchange> {
public:
  using clock = loop::clock;

  curl_exchange(loop& where, counters& count, http_call call, http_sink sink);
  curl_exchange(const curl_exchange&) = delete;
  curl_exchange& operator=(const curl_exchange&) = delete;
  ~curl_exchange();

  /// What is wrong with the call itself; nothing for a good one. Any thread.
  [[nodiscard]] std::optional<error> fault() const;

  /// Makes the easy handle. Error `overloaded` without memory or descriptors for it.
  result<CURL*> prepare(const http_curl_options& options);

  [[nodiscard]] CURL* easy() const {
    return easy_.get();
  }

  [[nodiscard]] const std::string& owner() const {
    return call_.owner;
  }

  /// The time at which `expired` has something to say, as things stand.
  [[nodiscard]] clock::time_point next_deadline() const;
  /// The deadline that has passed, as an error; nothing when none has.
  [[nodiscard]] std::optional<error> expired(clock::time_point now) const;

  /// libcurl has ended it, and the multi handle has let go of it.
  void finish(CURLcode code);
  /// Posts the failure, once; nothing follows it. Any thread, before the client has it; then as
  /// `finish`.
  void fail(error why);

  /// Nothing arrives from now on, but for a call already under way. Any thread.
  void drop() {
    is_dropped_->store(true);
  }

private:
  struct easy_deleter {
    void operator()(CURL* easy) const {
      curl_easy_cleanup(easy);
    }
  };
  struct list_deleter {
    void operator()(curl_slist* list) const {
      curl_slist_free_all(list);
    }
  };

  static std::size_t on_head_line(char* data, std::size_t size, std::size_t n, void* self);
  static std::size_t on_body(char* data, std::size_t size, std::size_t n, void* self);
  static curl_socket_t on_socket(void* self, curlsocktype purpose, curl_sockaddr* address);
  static int on_connected(void* self, char* remote, char* local, int remote_port, int local_port);

  static std::string small_letters(std::string_view text);
  void release();
  void set_method();
  bool set_fields();
  bool take_head_line(std::string_view line);
  bool take_body(std::string_view data);
  error meaning_of(CURLcode code) const;
  error connect_fault(const char* what) const;
  void post(http_event event);

  loop& where_;
  counters& count_;
  http_call call_;
  /// Shared with what is posted, so that it is freed on the loop or here, whichever is last.
  std::shared_ptr<http_sink> sink_;
  std::shared_ptr<std::atomic<bool>> is_dropped_ = std::make_shared<std::atomic<bool>>(false);
  std::unique_ptr<CURL, easy_deleter> easy_;
  std::unique_ptr<curl_slist, list_deleter> fields_;
  clock::time_point begin_ = clock::now();
  http_head head_;
  std::size_t head_bytes_ = 0;
  std::size_t body_bytes_ = 0;
  bool is_connected_ = false;
  bool has_head_ = false;
  bool is_too_large_ = false;
  bool is_private_ = false;
  bool is_over_ = false;
};

} // namespace sidevoice
