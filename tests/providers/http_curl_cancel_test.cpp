#include "tests/providers/http_fixture.hpp"

#include <thread>

namespace sidevoice {

namespace {

using namespace std::chrono_literals;
using peer = scripted_server::peer;
using fixture = http_fixture;

} // namespace

TEST_CASE_FIXTURE(fixture, "cancelling closes the connection and leaves silence") {
  scripted_server server{[](peer& p) {
    p.read_request();
    p.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + http_chunk("a"));
    p.wait_for_close();
  }};
  const auto got = std::make_shared<http_outcome>();
  auto transfer = start(to(server.url()), got);
  REQUIRE(turn_until([&] { return !got->body.empty(); }));
  transfer.reset();
  CHECK(server.wait_for_ended(1));
  context.poll();
  CHECK(got->body == "a");
  CHECK(got->ends == 0);
}

TEST_CASE_FIXTURE(fixture, "what is posted for a cancelled call is dropped") {
  scripted_server server{always(http_answer("ok"))};
  const auto got = std::make_shared<http_outcome>();
  auto transfer = start(to(server.url()), got);
  // Another call behind it on the same thread: when that one has its end, the first one's is
  // posted.
  const auto second = std::make_shared<http_outcome>();
  int seen = 0;
  auto counted = client->start(to(server.url()), [&](http_event) { ++seen; });
  transfer.reset();
  counted.reset();
  CHECK(run(to(server.url())).body == "ok");
  CHECK(got->heads == 0);
  CHECK(seen == 0);
}

TEST_CASE_FIXTURE(fixture, "the sink may let go of its own transfer") {
  scripted_server server{always(http_answer("ok"))};
  auto transfer = std::make_shared<std::unique_ptr<http_transfer>>();
  int events = 0;
  *transfer = client->start(to(server.url()), [&events, transfer](http_event) {
    ++events;
    transfer->reset();
  });
  REQUIRE(turn_until([&] { return events > 0; }));
  CHECK(run(to(server.url())).body == "ok");
  CHECK(events == 1);
}

TEST_CASE_FIXTURE(fixture,
                  "a client that goes drops what is under way, and its handles are harmless") {
  scripted_server server{[](peer& p) {
    p.read_request();
    p.wait_for_close();
  }};
  const auto got = std::make_shared<http_outcome>();
  auto first = start(to(server.url()), got);
  auto second = start(to("http://no-such-host.invalid/"), std::make_shared<http_outcome>());
  REQUIRE(turn_until([&] { return server.connections() == 1; }));
  client.reset();
  CHECK(server.wait_for_ended(1));
  context.poll();
  CHECK(got->ends == 0);
  first.reset();
  second.reset();
}

TEST_CASE_FIXTURE(fixture, "calls beyond the bound are refused, the others are not disturbed") {
  http_curl_options options;
  options.transfers_max = 4;
  client = make_http_curl(turned, count, options);
  scripted_server server{[](peer& p) {
    p.read_request();
    p.wait_for_close();
  }};
  std::vector<std::unique_ptr<http_transfer>> held;
  const auto waiting = std::make_shared<http_outcome>();
  for (int i = 0; i < 4; ++i)
    held.push_back(start(to(server.url()), waiting));
  CHECK(run(to(server.url())).failure == "overloaded");
  CHECK(waiting->ends == 0);
  held.clear();
  CHECK(server.wait_for_ended(server.connections()));
}

TEST_CASE_FIXTURE(fixture, "an app whose calls hang leaves room for those of others") {
  http_curl_options options;
  options.transfers_max = 8;
  options.owner_transfers_max = 2;
  client = make_http_curl(turned, count, options);
  scripted_server hung{[](peer& p) {
    p.read_request();
    p.wait_for_close();
  }};
  scripted_server server{always(http_answer("ok"))};
  const auto of = [](http_call call, const std::string& owner) {
    call.owner = owner;
    return call;
  };
  std::vector<std::unique_ptr<http_transfer>> held;
  for (int i = 0; i < 2; ++i)
    held.push_back(start(of(to(hung.url()), "first"), std::make_shared<http_outcome>()));
  CHECK(run(of(to(hung.url()), "first")).failure == "overloaded");
  CHECK(run(of(to(server.url()), "second")).body == "ok");
  CHECK(run(to(server.url())).body == "ok");
  // What has ended, or was given up, is not counted any more.
  held.pop_back();
  CHECK(run(of(to(server.url()), "first")).body == "ok");
  CHECK(run(of(to(server.url()), "first")).body == "ok");
  held.clear();
  CHECK(hung.wait_for_ended(hung.connections()));
}

TEST_CASE_FIXTURE(fixture, "calls of many threads all come to their end, each in its order") {
  scripted_server server{always(http_answer("abc"))};
  constexpr int threads = 4;
  constexpr int calls = 25;
  std::vector<std::shared_ptr<http_outcome>> got;
  for (int i = 0; i < threads * calls; ++i)
    got.push_back(std::make_shared<http_outcome>());
  std::vector<std::unique_ptr<http_transfer>> transfers(threads * calls);
  std::vector<std::thread> callers;
  for (int t = 0; t < threads; ++t)
    callers.emplace_back([&, t] {
      for (int i = t * calls; i < (t + 1) * calls; ++i) {
        const auto at = static_cast<std::size_t>(i);
        transfers[at] = start(to(server.url()), got[at]);
        if (i % 5 == 0)
          transfers[at].reset();
      }
    });
  for (auto& caller : callers)
    caller.join();
  REQUIRE(turn_until([&] {
    for (int i = 0; i < threads * calls; ++i)
      if (i % 5 != 0 && !got[static_cast<std::size_t>(i)]->is_over())
        return false;
    return true;
  }));
  for (int i = 0; i < threads * calls; ++i) {
    const auto& one = *got[static_cast<std::size_t>(i)];
    if (i % 5 != 0)
      CHECK(one.body == "abc");
    else
      CHECK(one.ends == 0);
  }
}

} // namespace sidevoice
