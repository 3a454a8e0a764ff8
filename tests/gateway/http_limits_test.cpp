#include "gateway/flow.hpp"
#include "gateway/forwarded.hpp"
#include "gateway/gateway.hpp"
#include "gateway/open_links.hpp"
#include "tests/gateway/http_support.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace sidevoice;
using namespace sidevoice::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

struct fake_link final : client_link {
  std::vector<std::string> closes;

  bool send(std::string) override {
    return true;
  }
  void close(std::uint16_t code, std::string reason) override {
    closes.push_back(std::to_string(code) + " " + reason);
  }
  void consumed() override {}
};

std::string reason_of(const result<std::shared_ptr<open_links::place>>& entered) {
  return entered ? "" : entered.error().reason;
}

} // namespace

TEST_CASE("sockets are bounded by session, by address and by the app's sessions") {
  const auto links = std::make_shared<open_links>(link_limits{.per_session = 2, .per_address = 3});
  std::vector<std::shared_ptr<open_links::place>> open;
  const auto enter = [&](const std::string& session, const std::string& address,
                         std::optional<std::uint32_t> sessions = {}) {
    auto entered = links->enter({"app", session, "", address}, sessions);
    if (entered)
      open.push_back(*entered);
    return reason_of(entered);
  };
  CHECK(enter("s1", "a").empty());
  CHECK(enter("s1", "a").empty());
  CHECK(enter("s1", "b") == "session_connections_limit");
  CHECK(enter("s2", "a").empty());
  CHECK(enter("s3", "a") == "address_connections_limit");
  CHECK(enter("s3", "").empty()); // a server key: its address stands for many visitors
  CHECK(enter("s4", "b", 3) == "sessions_limit");
  CHECK(enter("s3", "b", 3).empty()); // joins one that there is
  CHECK(enter("s4", "b", 4).empty());
  CHECK(reason_of(links->enter({"other", "s1", "", "b"}, 1)).empty());
  open.clear();
  CHECK(links->size() == 0);
  CHECK(enter("s1", "a", 1).empty());
  CHECK(enter("s2", "a", 1) == "sessions_limit");
}

TEST_CASE("a revoked key's sockets are closed, those still opening as soon as they are there") {
  const auto links = std::make_shared<open_links>(link_limits{});
  const auto mine = std::make_shared<fake_link>();
  const auto late = std::make_shared<fake_link>();
  const auto other = std::make_shared<fake_link>();
  const auto first = *links->enter({"app", "s1", "key_1", "a"}, {});
  const auto second = *links->enter({"app", "s2", "key_1", "a"}, {});
  const auto third = *links->enter({"app", "s3", "key_2", "a"}, {});
  const auto fourth = *links->enter({"app2", "s3", "key_1", "a"}, {});
  first->occupy(mine);
  third->occupy(other);
  fourth->occupy(other);
  CHECK(links->close_key("app", "key_1") == 2);
  CHECK(mine->closes == std::vector<std::string>{"1008 key revoked"});
  second->occupy(late);
  CHECK(late->closes == std::vector<std::string>{"1008 key revoked"});
  CHECK(other->closes.empty());
  CHECK(links->close_key("app", "key_1") == 0);
  CHECK(mine->closes.size() == 1);
}

TEST_CASE("an anonymous address begins so many conversations an hour, and comes back as it likes") {
  counted_ids ids{7};
  auto entry = make_app("open", true);
  auto live = std::make_shared<live_settings>(*entry.live);
  live->limits.sessions_per_address_per_hour = 2;
  entry.live = live;
  const app_registry apps{{{"open", entry}}};
  router routes{router_parts{
    .apps = &apps, .sealer = test_sealer(), .own = {}, .files = static_files{"", ""}, .ids = &ids}};
  const auto ask = [&](const std::string& remote, int minutes, const std::string& key = "") {
    auto request = upgrade_request("/v1/realtime?model=open&extensions=sidevoice");
    if (!key.empty())
      request.fields.push_back({"Authorization", "Bearer " + key});
    request.remote = remote;
    auto at = noon;
    at.now += std::chrono::minutes{minutes};
    return routes.handle(request, at);
  };
  const auto refused = [](const route_answer& answer) {
    const auto* response = std::get_if<http_response>(&answer);
    return response == nullptr ? std::string{}
                               : error_code_of(*response) + " " + response->field("Retry-After");
  };
  const auto first = ask("192.0.2.1", 0);
  CHECK(refused(first).empty());
  CHECK(refused(ask("192.0.2.1", 0)).empty());
  CHECK(refused(ask("192.0.2.1", 0)) == "sessions_per_hour_limit 1800");
  CHECK(refused(ask("192.0.2.2", 0)).empty());
  CHECK(refused(ask("192.0.2.1", 0, std::get<open_session>(first).client_key)).empty());
  CHECK(refused(ask("192.0.2.1", 0, "key-of-open")).empty());
  CHECK(refused(ask("192.0.2.1", 30)).empty());
  // A page that only asks why it was refused uses nothing up.
  auto plain = checked_request("GET", "/v1/realtime?model=open");
  plain.remote = "192.0.2.3";
  for (int i = 0; i < 5; ++i)
    CHECK(std::get<http_response>(routes.handle(plain, noon)).status == 426);
  CHECK(refused(ask("192.0.2.3", 0)).empty());
}

TEST_CASE("requests are counted by address, but not those that watch the server or hold its keys") {
  counted_ids ids{7};
  const app_registry apps{make_apps()};
  router routes{router_parts{.apps = &apps,
                             .sealer = test_sealer(),
                             .own = {},
                             .files = static_files{"", ""},
                             .ids = &ids,
                             .limits = {.requests = {2, seconds{1}}}}};
  const auto get = [&](const std::string& path, std::initializer_list<http_field> fields = {},
                       const std::string& remote = "192.0.2.1") {
    auto request = checked_request("GET", path, fields);
    request.remote = remote;
    return std::get<http_response>(routes.handle(request, noon));
  };
  CHECK(get("/v1/apps").status == 200);
  CHECK(get("/nothing").status == 404);
  const auto refused = get("/v1/apps");
  CHECK(refused.status == 429);
  CHECK(error_code_of(refused) == "request_rate_limit");
  CHECK(refused.field("Retry-After") == "1");
  CHECK(get("/healthz").status == 200);
  CHECK(get("/readyz").status == 503);
  CHECK(get("/v1/apps", {{"Authorization", "Bearer key-of-open"}}).status == 200);
  CHECK(get("/v1/apps", {{"Authorization", "Bearer wrong"}}).status == 429);
  CHECK(get("/v1/apps", {}, "192.0.2.2").status == 200);
}

TEST_CASE("a client that sends without end is noticed, one that sends a lot once is not") {
  traffic_watch watch{
    {.messages = {3, milliseconds{100}}, .bytes_burst = 1000, .bytes_per_second = 100}};
  const auto now = noon.now;
  for (int i = 0; i < 3; ++i)
    CHECK(watch.message(now));
  CHECK_FALSE(watch.message(now));
  CHECK(watch.message(now + milliseconds{100}));
  CHECK(watch.bytes(1000, now));
  CHECK_FALSE(watch.bytes(1, now));
  CHECK(watch.bytes(99, now + seconds{1}));
  traffic_watch usual;
  for (int i = 0; i < 4000; ++i)
    REQUIRE(usual.message(now));
  CHECK(usual.bytes(16 << 20, now));
}

TEST_CASE("what a request says of its way is believed from listed proxies only") {
  const auto proxies = *proxy_list::read({"10.0.0.0/8", "127.0.0.1", "fd00::/8"});
  CHECK(proxies.has("10.200.0.1"));
  CHECK(proxies.has("::ffff:10.200.0.1"));
  CHECK(proxies.has("127.0.0.1"));
  CHECK(proxies.has("fd12::1"));
  CHECK_FALSE(proxies.has("127.0.0.2"));
  CHECK_FALSE(proxies.has("11.0.0.1"));
  CHECK_FALSE(proxies.has("2001:db8::1"));
  CHECK_FALSE(proxy_list{}.has("127.0.0.1"));
  const auto from = [&proxies](const std::string& remote,
                               std::initializer_list<http_field> fields) {
    auto request = raw_request("GET", "/", fields);
    request.remote = remote;
    return proxies.client_of(request);
  };
  const std::string far = "X-Forwarded-For";
  CHECK(from("192.0.2.9", {{far, "198.51.100.1"}}) == "192.0.2.9");
  CHECK(from("10.0.0.1", {{far, "198.51.100.1"}}) == "198.51.100.1");
  CHECK(from("10.0.0.1", {{far, "198.51.100.1, 203.0.113.5, 10.0.0.2"}}) == "203.0.113.5");
  CHECK(from("10.0.0.1", {{far, "198.51.100.1"}, {far, "203.0.113.5"}}) == "203.0.113.5");
  CHECK(from("10.0.0.1", {{far, "10.0.0.3, 10.0.0.2"}}) == "10.0.0.3");
  CHECK(from("10.0.0.1", {{far, "198.51.100.1:4711"}}) == "198.51.100.1");
  CHECK(from("10.0.0.1", {{far, "unknown"}}) == "10.0.0.1");
  CHECK(from("10.0.0.1", {{far, "198.51.100.1, garbage"}}) == "10.0.0.1");
  CHECK(from("10.0.0.1", {{far, ""}}) == "10.0.0.1");
  CHECK(from("10.0.0.1", {}) == "10.0.0.1");
  const std::string rfc = "Forwarded";
  CHECK(from("10.0.0.1", {{rfc, "for=198.51.100.1;proto=https, For=\"[2001:db8::7]:47\""}})
        == "2001:db8::7");
  CHECK(from("10.0.0.1", {{rfc, "proto=https"}}) == "10.0.0.1");
  CHECK(from("10.0.0.1", {{rfc, "for=198.51.100.1"}, {far, "198.51.100.1"}}) == "198.51.100.1");
  CHECK(from("10.0.0.1", {{rfc, "for=198.51.100.1"}, {far, "203.0.113.5"}}) == "10.0.0.1");
  for (const auto* wrong : {"10.0.0.0/33", "10.0.0.0/", "proxy.example", "", "10.0.0.0/-1"})
    CHECK_MESSAGE(proxy_list::read({wrong}).has_error(), wrong);
}
