#pragma once

#include "config/asio_loop.hpp"
#include "providers/http.hpp"
#include "tests/providers/scripted_server.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

/// The client over real sockets, and a loop that the test's thread turns.
namespace sidevoice {

/// What came of one call.
struct http_outcome {
  http_head head;
  std::string body;
  std::string failure;
  std::vector<std::size_t> pieces;
  int heads = 0;
  int ends = 0;
  bool called_inside_start = false;

  [[nodiscard]] bool is_over() const {
    return ends > 0;
  }
};

struct http_fixture {
  boost::asio::io_context context;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{
    context.get_executor()};
  asio_loop turned{context};
  counters count;
  std::unique_ptr<http_client> client = make_http_curl(turned, count);

  static http_call to(const std::string& url) {
    http_call call;
    call.url = url;
    call.body = "{}";
    call.private_addresses = true;
    return call;
  }

  std::unique_ptr<http_transfer> start(http_call call,
                                       const std::shared_ptr<http_outcome>& into) const {
    auto is_starting = std::make_shared<bool>(true);
    auto transfer = client->start(std::move(call), [into, is_starting](http_event event) {
      into->called_inside_start = into->called_inside_start || *is_starting;
      REQUIRE(into->ends == 0);
      if (auto* head = std::get_if<http_head>(&event)) {
        into->head = *head;
        ++into->heads;
      } else if (auto* bytes = std::get_if<http_bytes>(&event)) {
        CHECK(into->heads == 1);
        into->body += bytes->data;
        into->pieces.push_back(bytes->data.size());
      } else {
        ++into->ends;
        if (auto* failed = std::get_if<http_failed>(&event)) {
          into->failure = failed->why.reason;
          CHECK_FALSE(failed->why.detail.empty());
        }
      }
    });
    // The loop turns in this very thread: nothing can have come yet.
    *is_starting = false;
    return transfer;
  }

  template <class Condition>
  bool turn_until(Condition is_met) {
    const auto latest = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (!is_met() && std::chrono::steady_clock::now() < latest)
      context.run_one_for(std::chrono::milliseconds{20});
    return is_met();
  }

  http_outcome run(http_call call) {
    const auto got = std::make_shared<http_outcome>();
    const auto transfer = start(std::move(call), got);
    REQUIRE(turn_until([&] { return got->is_over(); }));
    CHECK_FALSE(got->called_inside_start);
    return *got;
  }
};

/// Answers every request of a connection alike.
inline scripted_server::script always(const std::string& answer) {
  return [answer](scripted_server::peer& p) {
    while (!p.read_request().empty() && p.write(answer)) {}
  };
}

} // namespace sidevoice
