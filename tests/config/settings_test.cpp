#include "config/settings.hpp"

#include "tests/config/app_support.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

using namespace sidevoice;
using namespace sidevoice::test;

namespace {

settings_load load(const std::string& text, const environment& env = variables()) {
  const temporary_folder folder;
  return load_settings(folder.write("sidevoice.jsonc", text), env);
}

} // namespace

TEST_CASE("endpoints are read in all their forms") {
  CHECK(parse_endpoint("127.0.0.1:8080").value() == endpoint{"127.0.0.1", 8080});
  CHECK(parse_endpoint("0.0.0.0:0").value() == endpoint{"0.0.0.0", 0});
  CHECK(parse_endpoint("[::1]:65535").value() == endpoint{"::1", 65535});
  CHECK(parse_endpoint("localhost:80").value() == endpoint{"localhost", 80});
  for (const std::string text : {"127.0.0.1:8080", "[::1]:8080", "localhost:0"})
    CHECK(to_string(parse_endpoint(text).value()) == text);
}

TEST_CASE("what is no endpoint is refused with the form") {
  for (const std::string text :
       {"", ":", ":8080", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
        "127.0.0.1:80x", "127.0.0.1:99999999999", "::1:8080", "[::1]", "[127.0.0.1]:80",
        "[localhost]:80", "example.org:80", "300.0.0.1:80", "[::1:80", "127.0.0.1 :80"}) {
    CAPTURE(text);
    const auto refused = parse_endpoint(text);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().detail.find("HOST:PORT") != std::string::npos);
  }
}

TEST_CASE("an empty settings file means the defaults") {
  const auto loaded = load("{}");
  CHECK(loaded.good);
  CHECK(loaded.faults.empty());
  CHECK(loaded.settings.listen == "127.0.0.1:8080");
  CHECK(loaded.settings.admin_listen == "127.0.0.1:8081");
  CHECK(loaded.settings.apps.ends_with("/apps/"));
  CHECK(loaded.settings.data.ends_with("/data/"));
  CHECK(loaded.settings.profile == "dev");
  CHECK(loaded.settings.synchronous == sqlite_synchronous::full);
  CHECK(loaded.settings.passivate_after == std::chrono::seconds{600});
}

TEST_CASE("every setting is read, variables included") {
  const auto loaded = load(R"({ "apps": "/srv/apps", "data": "${env:DATA|store}",
    "listen": "${env:LISTEN}", "admin": { "listen": "[::1]:9001" }, "profile": "prod",
    "public_url": "https://talk.example/", "sqlite": { "synchronous": "normal" },
    "sessions": { "passivate_after_s": 60 } })",
                           variables({{"LISTEN", "0.0.0.0:9000"}}));
  INFO(listing(loaded.faults));
  CHECK(loaded.good);
  CHECK(loaded.settings.apps == "/srv/apps");
  CHECK(loaded.settings.data.ends_with("/store"));
  CHECK(loaded.settings.listen == "0.0.0.0:9000");
  CHECK(loaded.settings.admin_listen == "[::1]:9001");
  CHECK(loaded.settings.public_url == "https://talk.example");
  CHECK(loaded.settings.profile == "prod");
  CHECK(loaded.settings.synchronous == sqlite_synchronous::normal);
  CHECK(loaded.settings.passivate_after == std::chrono::seconds{60});
}

TEST_CASE("keys of later versions are known, with a warning") {
  const auto loaded = load(R"({ "store": "sqlite", "cluster": {}, "otlp": "http://x" })");
  CHECK(loaded.good);
  CHECK(loaded.faults.size() == 3);
}

TEST_CASE("faults of settings name line, key and remedy") {
  struct example {
    std::string text;
    std::size_t line;
    std::string key;
    std::string remedy;
  };
  const std::vector<example> examples = {
    {"{\n\"listne\": \"x\" }", 2, "listne", "did you mean \"listen\"?"},
    {"{\n\"listen\": \"8080\" }", 2, "listen", "HOST:PORT"},
    {"{ \"admin\": {\n\"listen\": \"x\" } }", 2, "admin.listen", "HOST:PORT"},
    {"{ \"admin\": {\n\"port\": 1 } }", 2, "admin.port", "remove it"},
    {"{\n\"sqlite\": { \"synchronous\": \"off\" } }", 2, "sqlite.synchronous", "full, normal"},
    {"{\n\"sessions\": { \"passivate_after_s\": 0 } }", 2, "sessions.passivate_after_s", "seconds"},
    {"{\n\"public_url\": \"talk.example\" }", 2, "public_url", "https://"},
    {"{\n\"public_url\": \"https://a@b\" }", 2, "public_url", "https://"},
    {"{\n\"data\": \"${env:UNSET}\" }", 2, "data", "set the variable UNSET"},
    {"{\n\"data\": 5 }", 2, "data", "text in double quotes"},
    {"{\n", 2, "", "close the object"},
    {"[]", 1, "", "write an object"},
  };
  for (const auto& wanted : examples) {
    CAPTURE(wanted.text);
    const auto loaded = load(wanted.text);
    CHECK_FALSE(loaded.good);
    CAPTURE(listing(loaded.faults));
    REQUIRE(loaded.faults.size() == 1);
    CHECK(loaded.faults[0].line == wanted.line);
    CHECK(loaded.faults[0].key == wanted.key);
    CHECK(loaded.faults[0].remedy.find(wanted.remedy) != std::string::npos);
  }
}

TEST_CASE("a settings file that is not there is a fault, not a default") {
  const auto loaded = load_settings("no/such/sidevoice.jsonc", variables());
  CHECK_FALSE(loaded.good);
  CHECK(loaded.faults.size() == 1);
}

TEST_CASE("TLS, trusted proxies and keys of administrators are read") {
  const temporary_folder folder;
  folder.write("cert.pem", "c");
  std::filesystem::permissions(folder.write("key.pem", "k"), std::filesystem::perms::owner_read);
  const auto file = folder.write("sidevoice.jsonc", R"({
    "tls": { "certificate": "cert.pem", "key": "${env:TLS_KEY|key.pem}" },
    "forwarded": { "from": ["10.0.0.0/8", "127.0.0.1", "fd00::/8", "::1"] },
    "admin": { "keys": ["${env:ADMIN_KEY}", "${env:UNSET}"] } })");
  const auto loaded = load_settings(file, variables({{"ADMIN_KEY", "canary-7f3a"}}));
  INFO(listing(loaded.faults));
  CHECK(loaded.good);
  CHECK(loaded.settings.tls_certificate == (folder.path() / "cert.pem").string());
  CHECK(loaded.settings.tls_key == (folder.path() / "key.pem").string());
  CHECK(loaded.settings.trusted_proxies
        == std::vector<std::string>{"10.0.0.0/8", "127.0.0.1", "fd00::/8", "::1"});
  CHECK(loaded.settings.admin_keys == std::vector<std::string>{"canary-7f3a"});
  REQUIRE(loaded.faults.size() == 1);
  CHECK(loaded.faults[0].found == "the unset variable UNSET");
  CHECK(listing(loaded.faults).find("canary") == std::string::npos);
}

TEST_CASE("faults of TLS, proxies and keys of administrators name line, key and remedy") {
  const auto refused = [](const std::string& text, const std::string& key,
                          const std::string& remedy) {
    CAPTURE(text);
    const auto loaded = load(text);
    CHECK_FALSE(loaded.good);
    CAPTURE(listing(loaded.faults));
    REQUIRE(loaded.faults.size() == 1);
    CHECK(loaded.faults[0].key == key);
    CHECK(loaded.faults[0].remedy.find(remedy) != std::string::npos);
    CHECK(listing(loaded.faults).find("canary") == std::string::npos);
  };
  refused(R"({ "tls": { "certificate": "sidevoice.jsonc" } })", "tls.key", "key.pem");
  refused(R"({ "tls": { "certificate": "none.pem", "key": "${env:EMPTY|}" } })", "tls.certificate",
          "create it");
  refused(R"({ "forwarded": { "from": ["10.0.0.0/99"] } })", "forwarded.from[0]", "a network");
  refused(R"({ "forwarded": { "from": ["proxy"] } })", "forwarded.from[0]", "a network");
  refused(R"({ "admin": { "keys": ["canary-7f3a"] } })", "admin.keys[0]", "keep the key out");
  refused(R"({ "profile": "prod", "admin": { "keys": ["${env:NO}"] } })", "admin.keys[0]",
          "profile \"prod\"");
}
