#include "gateway/admin.hpp"
#include "gateway/flow.hpp"
#include "gateway/listener.hpp"
#include "gateway/port_context.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>

using namespace sidevoice;
using std::chrono::milliseconds;

TEST_CASE("reading stops at too many frames and resumes once when few are left") {
  read_credit credit;
  for (int i = 1; i < 64; ++i)
    CHECK_FALSE(credit.taken(10));
  CHECK(credit.taken(10));
  int resumed = 0;
  for (int left = 63; left >= 0; --left) {
    const auto now = credit.consumed();
    CHECK(now == (left == 16));
    resumed += now ? 1 : 0;
  }
  CHECK(resumed == 1);
  CHECK_FALSE(credit.consumed()); // one more than was given is no credit
  CHECK_FALSE(credit.taken(10));
}

TEST_CASE("reading stops at too many bytes, and one huge frame cannot stop it for ever") {
  read_credit credit;
  CHECK(credit.taken(16 << 20));
  CHECK(credit.consumed());
  CHECK_FALSE(credit.taken(600 << 10));
  CHECK(credit.taken(600 << 10));
  CHECK_FALSE(credit.consumed());
  CHECK(credit.consumed());
  read_credit strict{{.frames_pause = 1, .frames_resume = 0, .bytes_pause = 1, .bytes_resume = 0}};
  CHECK(strict.taken(5));
  CHECK(strict.consumed());
}

TEST_CASE("a client is slow when it takes nothing, not when much comes at once") {
  const send_bound::time_point start{std::chrono::hours{1}};
  send_bound bound;
  CHECK(bound.admit(300 << 10, start));
  CHECK(bound.admit(300 << 10, start + milliseconds{900}));
  bound.written(300 << 10, start + milliseconds{950});
  CHECK(bound.admit(300 << 10, start + milliseconds{1900}));
  CHECK_FALSE(bound.admit(1, start + milliseconds{1950}));
  bound.written(300 << 10, start + milliseconds{2000});
  bound.written(300 << 10, start + milliseconds{2000});
  CHECK(bound.admit(1, start + milliseconds{60'000}));
}

TEST_CASE("even a burst is bounded") {
  const send_bound::time_point start{};
  send_bound bound{{.bytes_max = 10, .burst_max = 100, .stall = milliseconds{1000}}};
  CHECK(bound.admit(500, start)); // one large frame to an idle client always goes
  CHECK_FALSE(bound.admit(1, start));
  bound.written(500, start);
  for (int i = 0; i < 11; ++i)
    CHECK(bound.admit(10, start));
  CHECK_FALSE(bound.admit(10, start));
}

TEST_CASE("a message of countless fragments is refused, a long one is not") {
  fragment_watch tiny;
  std::size_t taken = 0;
  while (taken < 100'000 && tiny.piece(1))
    ++taken;
  CHECK(taken == fragment_watch::pieces_free);
  tiny.message_done();
  CHECK(tiny.piece(1));
  fragment_watch large;
  for (int i = 0; i < 20'000; ++i)
    REQUIRE(large.piece(1400));
}

namespace {

struct fake_socket final : open_socket {
  int told = 0;
  void shut_down() override {
    ++told;
  }
};

} // namespace

TEST_CASE("a port knows its sockets, refuses too many, and says when the last has gone") {
  const auto all = std::make_shared<socket_register>(2);
  const auto first = std::make_shared<fake_socket>();
  const auto second = std::make_shared<fake_socket>();
  auto a = socket_register::enter(all, first, false);
  auto b = socket_register::enter(all, second, true);
  CHECK(all->size() == 2);
  CHECK(all->websockets() == 1);
  CHECK_FALSE(socket_register::enter(all, first, false));
  int empty = 0;
  all->shut_down([&empty] { ++empty; });
  CHECK(first->told == 1);
  CHECK(second->told == 1);
  a.reset();
  CHECK(empty == 0);
  CHECK_FALSE(socket_register::enter(all, first, false)); // the server stops
  b.reset();
  CHECK(empty == 1);
  CHECK(all->websockets() == 0);

  const auto none = std::make_shared<socket_register>(2);
  none->shut_down([&empty] { ++empty; });
  CHECK(empty == 2);
}

TEST_CASE("addresses are HOST:PORT") {
  const auto good = split_address("[::1]:8080");
  REQUIRE(good.has_value());
  CHECK(good->host == "::1");
  CHECK(good->port == 8080);
  CHECK(split_address("localhost:0")->host == "localhost");
  for (const auto* wrong : {"", "8080", "host", "host:", ":80", "host:x", "host:70000", "::1:80",
                            "host:80x", "[]:80", "host:-1"})
    CHECK_MESSAGE(!split_address(wrong).has_value(), std::string{wrong});
}

TEST_CASE("a port that is taken is reported with what to do") {
  boost::asio::io_context io;
  const auto first = listener::open(io, {"127.0.0.1:0", "--listen"});
  REQUIRE(first.has_value());
  CHECK((*first)->is_loopback());
  CHECK((*first)->port() != 0);
  const auto second = listener::open(io, {(*first)->address(), "--listen"});
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().code == errc::conflict);
  CHECK(second.error().detail.find((*first)->address()) == 0);
  CHECK(second.error().detail.find("--listen HOST:PORT") != std::string::npos);
  CHECK(listener::open(io, {"nonsense", "--listen"}).error().code == errc::invalid);
  CHECK(listener::open(io, {"192.0.2.1:0", "--admin-listen"}).error().code == errc::invalid);
  const auto everywhere = listener::open(io, {"0.0.0.0:0", "--listen"});
  REQUIRE(everywhere.has_value());
  CHECK_FALSE((*everywhere)->is_loopback());
}

TEST_CASE("metrics name every counter and gauge") {
  counters count;
  count.add(counter::connections_slow, 3);
  const auto text = metrics_text(count, {{"sidevoice_uptime_seconds", "Since the start", 1.5}});
#define COUNTER(name, help) CHECK(text.find("\nsidevoice_" #name "_total ") != std::string::npos);
#include "config/counters.def"
#undef COUNTER
  CHECK(text.find("sidevoice_connections_slow_total 3\n") != std::string::npos);
  CHECK(text.find("# TYPE sidevoice_connections_slow_total counter\n") != std::string::npos);
  CHECK(text.find("sidevoice_uptime_seconds 1.5") != std::string::npos);
  CHECK(read_process_figures().resident_bytes > 0);
  CHECK(read_process_figures().descriptors > 2);
}

TEST_CASE("the tree is JSON whatever a reason holds") {
  tree_report report;
  report.entries.push_back({.name = "analyzer",
                            .session = "sess_1",
                            .restarts = 2,
                            .last_reason = "bad \"\xff",
                            .crashes = 1,
                            .crashes_max = 3,
                            .waiting = 4,
                            .queue_age = std::chrono::microseconds{17}});
  report.entries.push_back({.name = "stt", .session = "sess_1"});
  CHECK(tree_json(report)
        == R"({"entries":[{"crashes":1,"crashes_max":3,"last_reason":"bad \")"
           "\xef\xbf\xbd"
           R"(","name":"analyzer","queue_age_us":17,"restarts":2,"session":"sess_1","waiting":4},)"
           R"({"crashes":0,"crashes_max":0,"last_reason":"","name":"stt","queue_age_us":null,)"
           R"("restarts":0,"session":"sess_1","waiting":0}]})");
}
