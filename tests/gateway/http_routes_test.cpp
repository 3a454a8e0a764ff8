#include "gateway/gateway.hpp"
#include "tests/gateway/http_support.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

using namespace sidevoice;
using namespace sidevoice::test;

namespace {

struct world {
  counted_ids ids{7};
  scratch_folder page;
  scratch_folder client;
  app_registry apps{make_apps()};
  std::unique_ptr<router> routes;

  world() {
    page.write("index.html", "<!doctype html>");
    page.write("page.css", "a{}");
    page.write("notes.txt", "not served");
    page.write(".secret.html", "not served");
    page.write(".hidden/a.html", "not served");
    page.write("deep/er.js", "1");
    client.write("sidevoice.js", "export {};");
    client.write("elements/chat.js", "2");
    client.write("package.json", "{}");
    client.write("node_modules/x.js", "3");
    std::filesystem::create_symlink(client.path() / "package.json", page.path() / "out.html");
    std::filesystem::create_directory_symlink(client.path(), page.path() / "out");
    std::filesystem::create_symlink(page.path() / "index.html", page.path() / "inside.html");
    routes = std::make_unique<router>(router_parts{
      .apps = &apps,
      .sealer = test_sealer(),
      .own = {},
      .files = static_files{page.path(), client.path()},
      .ids = &ids,
    });
  }

  [[nodiscard]] http_response get(const std::string& target,
                                  std::initializer_list<http_field> fields = {}) const {
    return respond(checked_request("GET", target, fields));
  }

  [[nodiscard]] http_response respond(const http_request& request) const {
    auto answer = routes->handle(request, noon);
    REQUIRE(std::holds_alternative<http_response>(answer));
    return std::get<http_response>(answer);
  }

  [[nodiscard]] route_answer upgrade(const std::string& target,
                                     std::initializer_list<http_field> fields = {}) const {
    return routes->handle(upgrade_request(target, fields), noon);
  }

  [[nodiscard]] unsigned status(const std::string& target,
                                std::initializer_list<http_field> fields = {}) const {
    const auto answer = upgrade(target, fields);
    const auto* response = std::get_if<http_response>(&answer);
    return response != nullptr ? response->status : 101;
  }
};

http_field bearer(const std::string& key) {
  return {"Authorization", "Bearer " + key};
}

} // namespace

TEST_CASE("health is about the process, readiness about the node") {
  const world w;
  CHECK(w.get("/healthz").status == 200);
  CHECK(w.get("/readyz").status == 503);
  CHECK(w.get("/readyz").body == R"({"ready":false,"reasons":["starting"]})");
  w.routes->set_ready(true, "");
  CHECK(w.get("/readyz").status == 200);
  w.routes->set_ready(false, "stopping");
  CHECK(w.get("/readyz").body == R"({"ready":false,"reasons":["stopping"]})");
}

TEST_CASE("unknown paths and wrong methods are told apart") {
  const world w;
  CHECK(w.get("/nothing").status == 404);
  CHECK(w.get("/metrics").status == 404);
  CHECK(w.get("/debug/tree").status == 404);
  for (const auto* method :
       {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "X"}) {
    for (const auto* path : {"/healthz", "/readyz", "/v1/apps", "/", "/sidevoice.js"}) {
      const auto response = w.respond(checked_request(method, path));
      CHECK_MESSAGE(response.status == 405, method << " " << path);
      CHECK(response.field("Allow") == "GET, HEAD");
    }
    const auto realtime = w.respond(checked_request(method, "/v1/realtime?model=open"));
    CHECK(realtime.status == 405);
  }
  CHECK(w.respond(checked_request("POST", "/nothing")).status == 404);
  CHECK(w.respond(checked_request("HEAD", "/healthz")).status == 200);
}

TEST_CASE("files are given from below their folder and nowhere else") {
  const world w;
  CHECK(w.get("/").body == "<!doctype html>");
  CHECK(w.get("/index.html").body == "<!doctype html>");
  CHECK(w.get("/inside.html").status == 200);
  CHECK(w.get("/deep/er.js").body == "1");
  CHECK(w.get("/sidevoice.js").body == "export {};");
  CHECK(w.get("/clients/js/elements/chat.js").body == "2");
  CHECK(w.get("/sidevoice.js").field("Access-Control-Allow-Origin") == "*");
  CHECK(w.get("/").field("Access-Control-Allow-Origin").empty());
  const std::vector<std::string> refused = {"/../client/sidevoice.js",
                                            "/%2e%2e/x.html",
                                            "/..%2fx.html",
                                            "/deep/../index.html",
                                            "/deep/./er.js",
                                            "/./index.html",
                                            "//index.html",
                                            "/deep//er.js",
                                            "/deep",
                                            "/deep/",
                                            "/index.html/",
                                            "/%5c..%5cindex.html",
                                            "/.secret.html",
                                            "/.hidden/a.html",
                                            "/%2esecret.html",
                                            "/notes.txt",
                                            "/out.html",
                                            "/out/sidevoice.js",
                                            "/clients/js/package.json",
                                            "/clients/js/../../x.js",
                                            "/clients/js/node_modules/x.js",
                                            "/clients/js/",
                                            "/clients/js",
                                            "/package.json",
                                            "/index.html%00.js",
                                            "/etc/passwd",
                                            "/%2fetc%2fpasswd"};
  for (const auto& target : refused) {
    auto request = raw_request("GET", target);
    const auto early = check_head(request);
    const auto status = early ? early->status : w.respond(request).status;
    CHECK_MESSAGE((status == 404 || status == 400), target << " gave " << status);
  }
}

TEST_CASE("files carry the fields that keep injected text from running") {
  const world w;
  const auto page = w.get("/");
  CHECK(page.field("X-Content-Type-Options") == "nosniff");
  const auto policy = page.field("Content-Security-Policy");
  CHECK(policy.find("script-src 'self'") != std::string::npos);
  CHECK(policy.find("unsafe-inline") == std::string::npos);
  CHECK(policy.find("frame-ancestors") != std::string::npos);
  CHECK(page.field("Cache-Control") == "no-cache");
  const auto etag = page.field("ETag");
  const auto again = w.get("/", {{"If-None-Match", "\"other\", " + etag}});
  CHECK(again.status == 304);
  CHECK(again.body.empty());
  w.page.write("index.html", "changed");
  CHECK(w.get("/", {{"If-None-Match", etag}}).body == "changed");
}

TEST_CASE("the list of apps shows each caller what he may use, and nothing secret") {
  const world w;
  const auto ids = [&w](std::initializer_list<http_field> fields) {
    std::vector<std::string> found;
    const auto answer = nlohmann::json::parse(w.get("/v1/apps", fields).body);
    for (const auto& app : answer["apps"])
      found.push_back(app["id"]);
    return found;
  };
  using names = std::vector<std::string>;
  CHECK(ids({}) == names{"open"});
  CHECK(ids({bearer("key-of-closed")}) == names{"open", "closed"});
  CHECK(ids({bearer("wrong")}) == names{"open"});
  CHECK(ids({{"Origin", "https://open.example"}}) == names{"open"});
  CHECK(ids({{"Origin", "https://evil.example"}}) == names{});
  CHECK(w.get("/v1/apps", {{"Origin", "https://open.example"}}).field("Access-Control-Allow-Origin")
        == "https://open.example");
  CHECK(w.get("/v1/apps", {{"Origin", "https://evil.example"}})
          .field("Access-Control-Allow-Origin")
          .empty());
  const auto body = w.get("/v1/apps", {bearer("key-of-closed")}).body;
  CHECK(body.find("key-of") == std::string::npos);
  CHECK(body.find("example") == std::string::npos);
  const auto app = nlohmann::json::parse(w.get("/v1/apps").body)["apps"][0];
  CHECK(app["title"] == "The open");
  CHECK(app["offline"] == true);
  CHECK(app["topics"][1]
        == nlohmann::json{{"id", "when"},
                          {"label", "Day"},
                          {"type", "date"},
                          {"required", false},
                          {"list", false},
                          {"order", 1}});
}

TEST_CASE("a session id alone opens nothing") {
  const world w;
  const auto sealed = test_sealer().seal({"open", "sess_a", "", noon.unix_s + 60});
  const auto base = std::string{"/v1/realtime?model=open"};
  CHECK(w.status(base) == 101);
  CHECK(w.status(base + "&session=sess_a") == 404);
  CHECK(w.status(base + "&session=sess_a", {bearer("key-of-open")}) == 101);
  CHECK(w.status(base + "&session=sess_a", {bearer(sealed)}) == 101);
  CHECK(w.status(base + "&session=sess_b", {bearer(sealed)}) == 404);
  CHECK(w.status(base + "&session=..%2fx", {bearer("key-of-open")}) == 404);
  CHECK(w.status(base + "&session=" + std::string(65, 'a'), {bearer("key-of-open")}) == 404);

  const auto body = [](const route_answer& answer) { return std::get<http_response>(answer).body; };
  CHECK(body(w.upgrade(base + "&session=sess_a"))
        == body(w.upgrade(base + "&session=sess_b", {bearer(sealed)})));
}

TEST_CASE("what a connection may do follows from its key") {
  const world w;
  const auto opened = [&w](const std::string& target, std::initializer_list<http_field> fields) {
    return std::get<open_session>(w.upgrade("/v1/realtime?model=open" + target, fields));
  };
  const auto server = opened("", {bearer("key-of-open")});
  CHECK(server.create);
  CHECK(server.session.starts_with("sess_"));
  CHECK(server.by_server_key);
  CHECK_FALSE(server.extensions);
  CHECK(server.client_key.empty());
  CHECK(server.locale == "en");
  CHECK(server.zone == "UTC");

  const auto joined = opened("&session=sess_a", {bearer("key-of-open")});
  CHECK(joined.session == "sess_a");
  CHECK_FALSE(joined.create);

  const auto visitor = opened("&extensions=sidevoice&locale=de-AT&zone=Europe%2FVienna", {});
  CHECK(visitor.create);
  CHECK(visitor.extensions);
  CHECK_FALSE(visitor.by_server_key);
  CHECK(visitor.locale == "de-AT");
  CHECK(visitor.zone == "Europe/Vienna");
  const auto back = opened("&session=" + visitor.session, {bearer(visitor.client_key)});
  CHECK(back.session == visitor.session);
  CHECK(opened("", {bearer(visitor.client_key)}).session == visitor.session);
  CHECK(opened("", {}).client_key.empty()); // plain clients would not know what to do with it

  const auto named = test_sealer().seal({"open", "sess_n", "ada", noon.unix_s + 60});
  const auto user = opened("&extensions=sidevoice", {bearer(named)});
  CHECK(user.user == "ada");
  CHECK(user.client_key.empty()); // a signed-in user's key is renewed by the site, not by itself
  CHECK(opened("&locale=%3Cb%3E", {}).locale == "en");
}

TEST_CASE("a subprotocol is echoed only if it holds no key") {
  const world w;
  const auto chosen = [&w](std::initializer_list<http_field> fields) {
    return std::get<open_session>(w.upgrade("/v1/realtime?model=open", fields));
  };
  const std::string key = "openai-insecure-api-key.key-of-open";
  CHECK(chosen({}).subprotocol.empty());
  CHECK(chosen({{"Sec-WebSocket-Protocol", "realtime, " + key}}).subprotocol == "realtime");
  CHECK(chosen({{"Sec-WebSocket-Protocol", key}}).subprotocol.empty());
  CHECK(chosen({{"Sec-WebSocket-Protocol", "openai-agents-sdk.0.20.0"}}).subprotocol.empty());
  const auto own = chosen({{"Sec-WebSocket-Protocol", "realtime, sidevoice.v1, " + key}});
  CHECK(own.subprotocol == "sidevoice.v1");
  CHECK(own.extensions);
}

TEST_CASE("a wrong question to /v1/realtime says what is wrong before it asks for a key") {
  const world w;
  CHECK(w.status("/v1/realtime") == 400);
  CHECK(w.status("/v1/realtime?model=") == 400);
  CHECK(w.status("/v1/realtime?intent=transcription") == 400);
  CHECK(w.status("/v1/realtime?model=open&api_key=key-of-open") == 400);
  CHECK(w.status("/v1/realtime?model=open&extensions=other") == 400);
  CHECK(w.status("/v1/realtime?model=closed") == 401);
  // A page that asks why its socket was refused is told the same, by a plain GET.
  CHECK(w.get("/v1/realtime?model=closed").status == 401);
  CHECK(w.get("/v1/realtime?model=open&session=sess_a").status == 404);
  const auto plain = w.get("/v1/realtime?model=open");
  CHECK(plain.status == 426);
  CHECK(plain.field("Upgrade") == "websocket");
}

TEST_CASE("a server that goes away is not ready, and says when to come back") {
  world w;
  w.routes->set_ready(true, "");
  w.routes->stop();
  const auto ready = w.get("/readyz");
  CHECK(ready.status == 503);
  CHECK(ready.body.find("stopping") != std::string::npos);
  const auto answer = w.upgrade("/v1/realtime?model=open");
  const auto& refused = std::get<http_response>(answer);
  CHECK(refused.status == 503);
  CHECK(error_code_of(refused) == "restarting");
  CHECK_FALSE(refused.field("Retry-After").empty());
  // Nothing makes it ready again.
  w.routes->set_ready(true, "");
  CHECK(w.get("/readyz").status == 503);
}

TEST_CASE("only new sessions are asked about the node's room, and strangers apart") {
  world w;
  std::vector<newcomer> asked;
  bool full = true;
  router routes{router_parts{.apps = &w.apps,
                             .sealer = test_sealer(),
                             .own = {},
                             .files = static_files{w.page.path(), w.client.path()},
                             .ids = &w.ids,
                             .refuse_newcomer = [&](newcomer who) -> std::optional<http_response> {
                               asked.push_back(who);
                               if (!full)
                                 return std::nullopt;
                               return to_response({503, overload_code, "No room."});
                             }}};
  const auto enter = [&](const std::string& target, std::initializer_list<http_field> fields = {}) {
    return routes.handle(upgrade_request("/v1/realtime?model=" + target, fields), noon);
  };
  const auto code = [](const route_answer& answer) {
    const auto* response = std::get_if<http_response>(&answer);
    return response == nullptr ? std::string{} : error_code_of(*response);
  };
  CHECK(code(enter("open")) == overload_code);
  CHECK(code(enter("closed", {bearer("key-of-closed")})) == overload_code);
  CHECK(asked == std::vector{newcomer::stranger, newcomer::keyed});
  // Who comes back to a session is not asked about.
  CHECK(code(enter("closed&session=sess_a", {bearer("key-of-closed")})).empty());
  const auto visitor = test_sealer().seal({.app = "open",
                                           .session = "sess_b",
                                           .user = {},
                                           .expires_s = noon.unix_s + 60,
                                           .id = "ck_1",
                                           .visitor = true});
  CHECK(code(enter("open", {bearer(visitor)})).empty());
  // A key from a backend may be for a session that there is: the journal is to say.
  const auto guest = test_sealer().seal({.app = "open",
                                         .session = "sess_c",
                                         .user = {},
                                         .expires_s = noon.unix_s + 60,
                                         .id = "ck_2",
                                         .visitor = false});
  CHECK(std::get<open_session>(enter("open", {bearer(guest)})).perhaps_new);
  CHECK(asked.size() == 2);
  full = false;
  CHECK(code(enter("open")).empty());
}

TEST_CASE("other machines get in only where the operator has said so") {
  const app_entries open = {{"open", make_app("open", true)}};
  const app_entries closed = {{"closed", make_app("closed", false)}};
  auto bare = make_app("bare", false);
  bare.live = std::make_shared<live_settings>();
  const gateway_options careful;
  gateway_options loud;
  loud.allow_public = true;
  gateway_options loud_admin;
  loud_admin.allow_public_admin = true;
  CHECK(check_exposure(open, careful, true, true).has_value());
  CHECK_FALSE(check_exposure(open, careful, false, true).has_value());
  CHECK(check_exposure(open, loud, false, true).has_value());
  CHECK(check_exposure(closed, careful, false, true).has_value());
  CHECK_FALSE(check_exposure({{"bare", bare}}, careful, false, true).has_value());
  CHECK_FALSE(check_exposure(closed, loud, true, false).has_value());
  CHECK(check_exposure(closed, loud_admin, true, false).has_value());
  const auto why = check_exposure(open, careful, false, true).error().detail;
  CHECK(why.find("open") != std::string::npos);
  CHECK(why.find("--allow-public") != std::string::npos);
}
