#include "gateway/gateway.hpp"
#include "tests/gateway/http_support.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

using namespace sidevoice;
using namespace sidevoice::test;
using nlohmann::json;

namespace {

http_field bearer(const std::string& key) {
  return {"Authorization", "Bearer " + key};
}

struct world {
  counted_ids ids{7};
  app_registry apps{make_apps()};
  key_ring ring;
  router routes{router_parts{.apps = &apps,
                             .sealer = test_sealer(),
                             .own = {},
                             .files = static_files{"", ""},
                             .ids = &ids,
                             .ring = &ring}};

  http_response post(const std::string& body,
                     std::initializer_list<http_field> fields = {bearer("key-of-closed")},
                     const std::string& query = "") {
    auto request = checked_request("POST", "/v1/realtime/client_secrets" + query, fields);
    request.body = body;
    auto answer = routes.handle(request, noon);
    REQUIRE(std::holds_alternative<http_response>(answer));
    return std::get<http_response>(answer);
  }

  json made(const json& body) {
    const auto response = post(body.is_null() ? "{}" : body.dump());
    CHECK_MESSAGE(response.status == 200, response.body);
    return json::parse(response.body);
  }

  route_answer open(const std::string& target, const std::string& key, std::int64_t later = 0) {
    auto at = noon;
    at.unix_s += later;
    return routes.handle(upgrade_request("/v1/realtime?model=closed" + target, {bearer(key)}), at);
  }
};

unsigned status(const route_answer& answer) {
  const auto* response = std::get_if<http_response>(&answer);
  return response != nullptr ? response->status : 101;
}

} // namespace

TEST_CASE("a client secret has OpenAI's form, and opens what it was made for until it expires") {
  world w;
  const auto made = w.made({{"expires_after", {{"anchor", "created_at"}, {"seconds", 60}}},
                            {"session", {{"type", "realtime"}, {"model", "closed"}}}});
  const auto key = made["value"].get<std::string>();
  CHECK(key.starts_with("ek_"));
  CHECK(made["expires_at"] == noon.unix_s + 60);
  CHECK(made["session"]["type"] == "realtime");
  CHECK(made["session"]["object"] == "realtime.session");
  CHECK(made["session"]["model"] == "closed");
  CHECK(made["session"]["id"] == made["sidevoice"]["session"]);
  const auto first = std::get<open_session>(w.open("", key));
  CHECK(first.session == made["session"]["id"]);
  CHECK(first.create);
  CHECK_FALSE(first.by_server_key);
  CHECK(first.key == made["sidevoice"]["key"]);
  CHECK(first.client_key.empty()); // the site renews it, not this server
  // It opens again, also later; not another session, not another app, not for ever.
  CHECK(std::get<open_session>(w.open("", key, 59)).session == first.session);
  CHECK(status(w.open("&session=sess_other", key)) == 404);
  CHECK(status(w.open("", key, 60)) == 401);
  CHECK(status(w.routes.handle(upgrade_request("/v1/realtime?model=open", {bearer(key)}), noon))
        == 404);
  CHECK(w.made({})["expires_at"] == noon.unix_s + 600);
  CHECK(w.post("").status == 200);
}

TEST_CASE("a client secret binds session, user, release and session fields") {
  world w;
  const auto made =
    w.made({{"session", {{"type", "realtime"}, {"instructions", "Speak slowly."}}},
            {"sidevoice", {{"session", "sess_a"}, {"user", "ada"}, {"release", "sha256:closed"}}}});
  CHECK(made["session"]["instructions"] == "Speak slowly.");
  CHECK(made["session"]["id"] == "sess_a");
  const auto key = made["value"].get<std::string>();
  const auto opened = std::get<open_session>(w.open("&session=sess_a", key));
  CHECK(opened.user == "ada");
  CHECK(json::parse(opened.preset)["instructions"] == "Speak slowly.");
  CHECK(opened.app->release == "sha256:closed");
  // Any other release is not the key's.
  CHECK(status(w.routes.handle(
          upgrade_request("/v1/realtime?model=closed@sha256:closed", {bearer(key)}), noon))
        == 101);
  CHECK(status(
          w.routes.handle(upgrade_request("/v1/realtime?model=closed@stable", {bearer(key)}), noon))
        == 404);
  CHECK(w.made({{"sidevoice", {{"app", "closed@stable"}}}})["sidevoice"]["app"] == "closed");
  CHECK(w.post("{}", {bearer("key-of-closed")}, "?model=closed").status == 200);
}

TEST_CASE("what a client secret cannot be is refused with the field's name") {
  world w;
  struct row {
    std::string body;
    std::string param;
  };
  const std::vector<row> table = {
    {R"({"expires_after":{"seconds":9}})", "expires_after.seconds"},
    {R"({"expires_after":{"seconds":7201}})", "expires_after.seconds"},
    {R"({"expires_after":{"seconds":60.5}})", "expires_after.seconds"},
    {R"({"expires_after":{"seconds":1e30}})", "expires_after.seconds"},
    {R"({"expires_after":{"anchor":"now","seconds":60}})", "expires_after.anchor"},
    {R"({"expires_after":60})", "expires_after"},
    {R"({"colour":1})", "colour"},
    {R"({"session":[]})", "session"},
    {R"({"session":{"type":"transcription"}})", "session.type"},
    {R"({"session":{"type":"magic"}})", "session.type"},
    {R"({"session":{"colour":1}})", "session.colour"},
    {R"({"session":{"tools":"all"}})", "session.tools"},
    {R"({"session":{"model":5}})", "session.model"},
    {R"({"sidevoice":[]})", "sidevoice"},
    {R"({"sidevoice":{"session":"no blanks"}})", "sidevoice.session"},
    {R"({"sidevoice":{"user":""}})", "sidevoice.user"},
    {R"({"sidevoice":{"user":"a\nb"}})", "sidevoice.user"},
    {R"({"sidevoice":{"user":7}})", "sidevoice.user"},
    {R"({"sidevoice":{"context":{}}})", "sidevoice.context"},
    {R"({"sidevoice":{"variables":{}}})", "sidevoice.variables"},
    {R"({"sidevoice":{"topics":{}}})", "sidevoice.topics"},
    {R"({"sidevoice":{"colour":1}})", "sidevoice.colour"},
    {R"({"session":{"instructions":")" + std::string(9000, 'x') + "\"}}", "session"},
  };
  for (const auto& row : table) {
    const auto response = w.post(row.body);
    CHECK_MESSAGE(response.status == 400, row.body.substr(0, 80));
    CHECK_MESSAGE(json::parse(response.body)["error"]["param"] == row.param,
                  row.body.substr(0, 80) << " gave " << response.body);
  }
  const std::vector<std::string> no_json = {"{",
                                            "[]",
                                            "nope",
                                            "{\"session\":{},\"session\":{}}",
                                            std::string(40, '[') + std::string(40, ']'),
                                            "{\"sidevoice\":{\"user\":\"\xff\"}}"};
  for (const auto& body : no_json)
    CHECK_MESSAGE(w.post(body).status == 400, body);
}

TEST_CASE("only a server key of the app makes client secrets, and others learn nothing") {
  world w;
  const auto wrong = w.post("{}", {bearer("wrong")});
  CHECK(wrong.status == 401);
  CHECK(w.post("{}", {}).body == wrong.body);
  const auto client = w.made({})["value"].get<std::string>();
  CHECK(w.post("{}", {bearer(client)}).body == wrong.body);
  const auto foreign = w.post(R"({"session":{"type":"realtime","model":"open"}})");
  CHECK(foreign.status == 404);
  CHECK(foreign.body == w.post(R"({"session":{"type":"realtime","model":"nowhere"}})").body);
  CHECK(w.post(R"({"sidevoice":{"release":"preview"}})").status == 404);
  CHECK(w.post("{}", {bearer("key-of-closed"), {"Origin", "https://evil.example"}}).status == 403);
  CHECK(w.post("{}", {bearer("key-of-closed"), {"Origin", "https://closed.example"}}).status
        == 200);
  CHECK(w.post("{}", {}, "?key=key-of-closed").status == 400);
}

TEST_CASE("a revoked client key opens nothing more, and looks like any wrong one") {
  world w;
  const auto made = w.made({});
  const auto key = made["value"].get<std::string>();
  CHECK(status(w.open("", key)) == 101);
  key_list list{.change = 2, .revocations = {{"closed", made["sidevoice"]["key"], 1, 0}}};
  CHECK(w.ring.replace(list).size() == 1);
  CHECK(w.ring.replace(list).empty());
  const auto refused = w.open("", key);
  REQUIRE(status(refused) == 401);
  CHECK(std::get<http_response>(refused).body
        == std::get<http_response>(w.open("", "ek_wrong")).body);
}

TEST_CASE("a key of the store opens its app until it expires or is revoked") {
  world w;
  key_row row{.id = "key_1",
              .app = "closed",
              .name = "backend",
              .hash = hex_of(digest_of_key("sv_fresh")),
              .created_at = 1,
              .expires_at = (noon.unix_s + 10) * 1000};
  CHECK(status(w.open("", "sv_fresh")) == 401);
  w.ring.replace({.change = 2, .keys = {row}});
  const auto opened = w.open("", "sv_fresh");
  REQUIRE(status(opened) == 101);
  CHECK(std::get<open_session>(opened).key == "key_1");
  CHECK(std::get<open_session>(opened).by_server_key);
  CHECK(status(w.open("", "sv_fresh", 10)) == 401);
  row.revoked_at = 5;
  CHECK(w.ring.replace({.change = 3, .keys = {row}}).size() == 1);
  CHECK(status(w.open("", "sv_fresh")) == 401);
  row.revoked_at = 0;
  row.hash = "no digest";
  w.ring.replace({.change = 4, .keys = {row}});
  CHECK(status(w.open("", "sv_fresh")) == 401);
}

TEST_CASE("a visitor's key keeps its id when it is renewed, and a site's key is not renewed") {
  world w;
  const auto ask = [&w](std::initializer_list<http_field> fields) {
    return std::get<open_session>(w.routes.handle(
      upgrade_request("/v1/realtime?model=open&extensions=sidevoice", fields), noon));
  };
  const auto visitor = ask({});
  REQUIRE_FALSE(visitor.client_key.empty());
  CHECK_FALSE(visitor.key.empty());
  const auto back = ask({bearer(visitor.client_key)});
  CHECK(back.key == visitor.key);
  CHECK(back.session == visitor.session);
  CHECK_FALSE(back.client_key.empty());
  auto request = checked_request("POST", "/v1/realtime/client_secrets", {bearer("key-of-open")});
  const auto made =
    json::parse(std::get<http_response>(w.routes.handle(request, noon)).body)["value"];
  CHECK(ask({bearer(made.get<std::string>())}).client_key.empty());
}
