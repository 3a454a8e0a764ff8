#include "tests/gateway/http_support.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace sidevoice;
using namespace sidevoice::test;

namespace {

authenticator make_auth(own_address own = {}, failure_throttle::options throttle = {}) {
  static const app_registry apps{make_apps()};
  return authenticator{&apps, test_sealer(), std::move(own), throttle};
}

unsigned status(const access_decision& decision) {
  const auto* response = std::get_if<http_response>(&decision);
  return response != nullptr ? response->status : 200;
}

unsigned ask(authenticator& auth, const std::string& model,
             std::initializer_list<http_field> fields) {
  return status(auth.admit(upgrade_request("/v1/realtime", fields), model, noon));
}

http_field bearer(const std::string& key) {
  return {"Authorization", "Bearer " + key};
}

std::string code_of(const access_decision& decision) {
  const auto& body = std::get<http_response>(decision).body;
  const auto begin = body.find("\"code\":\"") + 8;
  return body.substr(begin, body.find('"', begin) - begin);
}

} // namespace

TEST_CASE("a server key opens its own app and no other") {
  auto auth = make_auth();
  CHECK(ask(auth, "closed", {bearer("key-of-closed")}) == 200);
  CHECK(ask(auth, "closed@stable", {bearer("key-of-closed")}) == 200);
  CHECK(ask(auth, "closed@sha256:closed", {bearer("key-of-closed")}) == 200);
  CHECK(ask(auth, "closed@preview", {bearer("key-of-closed")}) == 404);
  CHECK(ask(auth, "closed", {bearer("wrong")}) == 401);
  CHECK(ask(auth, "closed", {bearer("")}) == 401);
  CHECK(ask(auth, "closed", {{"Authorization", "Basic key-of-closed"}}) == 401);
  CHECK(ask(auth, "closed", {{"authorization", "bearer  key-of-closed"}}) == 200);
  CHECK(ask(auth, "closed", {}) == 401);

  const auto request = upgrade_request("/v1/realtime", {bearer("key-of-open")});
  const auto foreign = auth.admit(request, "closed", noon);
  const auto unknown = auth.admit(request, "nowhere", noon);
  CHECK(status(foreign) == 404);
  CHECK(code_of(foreign) == "model_not_found");
  CHECK(std::get<http_response>(foreign).body == std::get<http_response>(unknown).body);
}

TEST_CASE("without a key an unknown app and a private one look the same") {
  auto auth = make_auth();
  const auto request = upgrade_request("/v1/realtime");
  const auto closed = auth.admit(request, "closed", noon);
  const auto unknown = auth.admit(request, "nowhere", noon);
  CHECK(status(closed) == 401);
  CHECK(code_of(closed) == "invalid_api_key");
  CHECK(std::get<http_response>(closed).body == std::get<http_response>(unknown).body);
}

TEST_CASE("a browser's key comes as a subprotocol") {
  auto auth = make_auth();
  CHECK(ask(auth, "closed",
            {{"Sec-WebSocket-Protocol", "realtime, openai-insecure-api-key.key-of-closed, x-sdk"}})
        == 200);
  CHECK(ask(auth, "closed",
            {{"Sec-WebSocket-Protocol", "realtime"},
             {"Sec-WebSocket-Protocol", "openai-insecure-api-key.key-of-closed"}})
        == 200);
  CHECK(ask(auth, "closed", {{"Sec-WebSocket-Protocol", "openai-insecure-api-key."}}) == 401);
}

TEST_CASE("origins are compared exactly") {
  auto auth = make_auth({.public_url = "https://talk.example", .bound_to_loopback = false});
  struct row {
    const char* origin;
    unsigned status;
  };
  const std::vector<row> table = {
    {"https://open.example", 200},
    {"https://OPEN.example", 200},
    {"https://open.example:443", 200},
    {"https://talk.example", 200},
    {"http://open.example", 403},
    {"https://open.example:8443", 403},
    {"https://open.example.evil", 403},
    {"https://evil.open.example", 403},
    {"https://evil-open.example", 403},
    {"https://open.example@evil", 403},
    {"http://talk.example", 403},
    {"https://closed.example", 403},
    {"null", 403},
    {"", 403},
    {"file://", 403},
    {"chrome-extension://open.example", 403},
  };
  for (const auto& row : table) {
    const std::string origin = row.origin;
    CHECK_MESSAGE(ask(auth, "open", {{"Origin", origin}}) == row.status, origin);
    CHECK_MESSAGE(ask(auth, "open", {{"Origin", origin}, bearer("key-of-open")}) == row.status,
                  origin);
  }
}

TEST_CASE("the server's own page is believed only under a name that no other page can choose") {
  auto auth = make_auth();
  const auto ask_at = [&auth](const std::string& host, const std::string& origin) {
    auto request = at_host(upgrade_request("/v1/realtime", {{"Origin", origin}}), host);
    return status(auth.admit(request, "open", noon));
  };
  CHECK(ask_at("127.0.0.1:8080", "http://127.0.0.1:8080") == 200);
  CHECK(ask_at("localhost:8080", "http://localhost:8080") == 200);
  CHECK(ask_at("[::1]:8080", "http://[::1]:8080") == 200);
  CHECK(ask_at("localhost", "http://localhost:80") == 200);
  CHECK(ask_at("localhost:8080", "http://localhost:3000") == 403);
  CHECK(ask_at("localhost:8080", "http://127.0.0.1:8080") == 403);
  CHECK(ask_at("evil.example:8080", "http://evil.example:8080") == 403);
  CHECK(ask_at("127.0.0.1.evil:8080", "http://127.0.0.1.evil:8080") == 403);
  CHECK(ask_at("localhost.evil", "http://localhost.evil") == 403);
}

TEST_CASE("a program without an Origin is a visitor only on this machine and without a proxy") {
  auto here = make_auth();
  CHECK(ask(here, "open", {}) == 200);
  CHECK(ask(here, "open", {{"X-Forwarded-For", "192.0.2.1"}}) == 401);
  CHECK(ask(here, "open", {{"Forwarded", "for=192.0.2.1"}}) == 401);
  CHECK(status(here.admit(at_host(upgrade_request("/v1/realtime"), "talk.example"), "open", noon))
        == 401);
  auto exposed = make_auth({.public_url = "", .bound_to_loopback = false});
  CHECK(ask(exposed, "open", {}) == 401);
  CHECK(ask(exposed, "open", {bearer("key-of-open")}) == 200);
}

TEST_CASE("a client key opens its app until it expires") {
  auto auth = make_auth();
  const auto sealer = test_sealer();
  const auto key = [&sealer](const std::string& app, std::int64_t expires_s) {
    return bearer(sealer.seal({app, "sess_1", "ada", expires_s}));
  };
  const auto good = auth.admit(upgrade_request("/v1/realtime", {key("closed", noon.unix_s + 1)}),
                               "closed", noon);
  REQUIRE(status(good) == 200);
  const auto& grant = std::get<access_grant>(good);
  CHECK(grant.by == access_grant::kind::client_key);
  CHECK(grant.session == "sess_1");
  CHECK(grant.user == "ada");
  CHECK(ask(auth, "closed", {key("closed", noon.unix_s)}) == 401);
  CHECK(ask(auth, "open", {key("closed", noon.unix_s + 1)}) == 404);
  CHECK(ask(auth, "closed", {key("nowhere", noon.unix_s + 1)}) == 401);
  const key_sealer other{std::string(key_sealer::key_bytes, 'o')};
  CHECK(ask(auth, "closed", {bearer(other.seal({"closed", "", "", noon.unix_s + 1}))}) == 401);
}

TEST_CASE("who guesses keys is slowed down, and only he") {
  auto auth = make_auth({}, {.burst = 3, .recovery = std::chrono::seconds{2}});
  const auto guess = [&auth](const std::string& remote, const std::string& key, int seconds) {
    auto request = upgrade_request("/v1/realtime", {bearer(key)});
    request.remote = remote;
    auto at = noon;
    at.now += std::chrono::seconds{seconds};
    return status(auth.admit(request, "closed", at));
  };
  for (int i = 0; i < 3; ++i)
    CHECK(guess("192.0.2.1", "wrong", 0) == 401);
  CHECK(guess("192.0.2.1", "wrong", 0) == 429);
  // A right one waits as well: the answer must not tell it from the others.
  CHECK(guess("192.0.2.1", "key-of-closed", 1) == 429);
  CHECK(guess("192.0.2.2", "key-of-closed", 1) == 200);
  CHECK(guess("192.0.2.1", "key-of-closed", 2) == 200);
  CHECK(guess("192.0.2.1", "wrong", 2) == 401);
  CHECK(guess("192.0.2.1", "wrong", 2) == 429);
}

TEST_CASE("throttle accounts are bounded, and an IPv6 network is one address") {
  CHECK(account_of("2001:db8:1:2:3:4:5:6") == account_of("2001:db8:1:2::1"));
  CHECK(account_of("2001:db8:1:2::1") != account_of("2001:db8:1:3::1"));
  CHECK(account_of("::ffff:192.0.2.1") == "192.0.2.1");
  failure_throttle throttle{{.burst = 1, .recovery = std::chrono::seconds{1}, .addresses_max = 2}};
  const auto now = noon.now;
  throttle.failed("a", now);
  throttle.failed("b", now);
  throttle.failed("c", now);
  CHECK(throttle.wait("c", now).count() > 0);
  CHECK(throttle.wait("d", now).count() > 0); // shares the account of c
  CHECK(throttle.wait("a", now + std::chrono::seconds{1}).count() == 0);
}

TEST_CASE("a sealed key comes back as it was, and not when anything of it is changed") {
  const auto sealer = test_sealer();
  const client_key key{"moving", "sess_x", "ada \"\n", noon.unix_s + 60};
  const auto text = sealer.seal(key);
  CHECK(looks_like_client_key(text));
  CHECK(text.find("moving") == std::string::npos);
  REQUIRE(sealer.unseal(text, noon.unix_s).has_value());
  CHECK(*sealer.unseal(text, noon.unix_s) == key);
  CHECK(sealer.seal(key) != text);
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto changed = text;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    CHECK_FALSE(sealer.unseal(changed, noon.unix_s).has_value());
  }
  for (std::size_t size = 0; size < text.size(); ++size)
    CHECK_FALSE(sealer.unseal(text.substr(0, size), noon.unix_s).has_value());
  CHECK_FALSE(sealer.unseal(text + "A", noon.unix_s).has_value());
  CHECK_FALSE(sealer.unseal("ek_" + std::string(5000, 'A'), noon.unix_s).has_value());
}

TEST_CASE("the sealing key is made once, for its owner only, and kept") {
  const scratch_folder folder;
  const auto path = folder.path() / "seal.key";
  const auto first = key_sealer::open(folder.path());
  REQUIRE(first.has_value());
  using std::filesystem::perms;
  CHECK(std::filesystem::status(path).permissions() == (perms::owner_read | perms::owner_write));
  CHECK(std::filesystem::file_size(path) == key_sealer::key_bytes);
  const auto second = key_sealer::open(folder.path());
  REQUIRE(second.has_value());
  const client_key key{"a", "s", "", noon.unix_s + 1};
  CHECK(second->unseal(first->seal(key), noon.unix_s).has_value());

  std::filesystem::permissions(path, perms::owner_read | perms::group_read);
  const auto readable = key_sealer::open(folder.path());
  REQUIRE_FALSE(readable.has_value());
  CHECK(readable.error().code == errc::invalid);
  CHECK(readable.error().detail.find("chmod 600") != std::string::npos);

  std::filesystem::remove(path);
  folder.write("seal.key", "short");
  std::filesystem::permissions(path, perms::owner_read);
  CHECK_FALSE(key_sealer::open(folder.path()).has_value());
  CHECK_FALSE(key_sealer::open(folder.path() / "nowhere").has_value());
}
