#include "config/secrets.hpp"

#include "tests/config/app_support.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

using namespace sidevoice;
using namespace sidevoice::test;

namespace fs = std::filesystem;

namespace {

/// Every secret of these tests: it must not turn up in any fault.
const std::string canary = "canary-7f3a";

std::string keys(const std::string& list) {
  return with(R"("live": { "access": { "server_keys": )" + list + " } }");
}

void private_file(const std::string& path) {
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
}

bool speaks_of_it(const std::vector<app_fault>& faults) {
  return listing(faults).find(canary) != std::string::npos;
}

} // namespace

TEST_CASE("references are read, and everything else is a literal") {
  const auto env = parse_reference("${env:KEY}");
  REQUIRE(env.has_value());
  CHECK(env->from == reference::kind::env);
  CHECK(env->name == "KEY");
  CHECK_FALSE(env->otherwise.has_value());
  const auto with_default = parse_reference("${env:KEY|a|b}");
  REQUIRE(with_default.has_value());
  CHECK(with_default->name == "KEY");
  CHECK(with_default->otherwise.value_or("") == "a|b");
  const auto file = parse_reference("${file:/run/secrets/key}");
  REQUIRE(file.has_value());
  CHECK(file->from == reference::kind::file);
  CHECK(file->name == "/run/secrets/key");
  for (const std::string text : {"", "KEY", "${KEY}", "${env:}", "${env:A B}", "${file:}",
                                 "${env:KEY", "x${env:KEY}", "$", "${", "${}"}) {
    CAPTURE(text);
    REQUIRE_FALSE(parse_reference(text).has_value());
    CHECK(parse_reference(text).error().reason == "literal");
  }
}

TEST_CASE("server keys come from variables and files") {
  const temporary_folder folder;
  private_file(folder.write("key.txt", "from-file\n"));
  folder.write("app.jsonc", keys(R"(["${env:KEY}", "${file:key.txt}", "${env:NONE|fallback}"])"));
  const auto loaded = load_app(folder.path().string(), {"dev", variables({{"KEY", "from-env"}})});
  INFO(listing(loaded.faults));
  REQUIRE(loaded.app);
  CHECK(loaded.live->server_keys == std::vector<std::string>{"from-env", "from-file", "fallback"});
}

TEST_CASE("an unset variable is skipped in dev, and a fault anywhere else") {
  for (const auto& env : {variables(), variables({{"KEY", ""}})}) {
    const auto dev = load_text(keys(R"(["${env:KEY}"])"), {"dev", env});
    REQUIRE(dev.app);
    CHECK(dev.live->server_keys.empty());
    REQUIRE(dev.faults.size() == 1);
    CHECK(dev.faults[0].warning);
    for (const std::string profile : {"prod", "staging"}) {
      const auto strict = load_text(keys(R"(["${env:KEY}"])"), {profile, env});
      CHECK_FALSE(strict.app);
      REQUIRE(strict.faults.size() == 1);
      CHECK(strict.faults[0].line == 2);
      CHECK(strict.faults[0].found == "the unset variable KEY");
    }
  }
}

TEST_CASE("secrets of a profile that is not chosen are not asked for") {
  const auto text =
    with(R"("profiles": { "prod": { "live": { "access": { "server_keys": ["${env:PROD}"] } } } })");
  const auto loaded = load_text(text, {"dev", variables()});
  CHECK(loaded.app);
  CHECK(loaded.faults.empty());
  const auto literal =
    load_text(with(R"("profiles": { "prod": { "live": { "access": { "server_keys": [")" + canary
                   + R"("] } } } })"),
              {"dev", variables()});
  CHECK_FALSE(literal.app);
  CHECK_FALSE(speaks_of_it(literal.faults));
}

TEST_CASE("secret files must be private, plain and not empty") {
  const temporary_folder folder;
  folder.write("app.jsonc", keys(R"(["${file:key.txt}"])"));
  const auto key = folder.write("key.txt", canary);
  const auto refused = [&](const std::string& part) {
    const auto loaded = load_app(folder.path().string(), {"dev", variables()});
    CHECK_FALSE(loaded.app);
    REQUIRE(loaded.faults.size() == 1);
    CAPTURE(listing(loaded.faults));
    CHECK(loaded.faults[0].remedy.find(part) != std::string::npos);
    CHECK_FALSE(speaks_of_it(loaded.faults));
  };
  fs::permissions(key, fs::perms::owner_read | fs::perms::others_read);
  refused("chmod 600");
  private_file(folder.write("key.txt", "\n"));
  refused("is empty");
  folder.write("key.txt", std::string(65'537, 'x'));
  refused("larger than 64 KiB");
  fs::remove(key);
  fs::create_directory(key);
  refused("no plain file");
}

TEST_CASE("a default is a literal key: for dev only") {
  const auto text = keys(R"(["${env:KEY|)" + canary + R"(}"])");
  const auto dev = load_text(text, {"dev", variables()});
  REQUIRE(dev.app);
  CHECK(dev.live->server_keys == std::vector<std::string>{canary});
  const auto prod = load_text(text, {"prod", variables()});
  CHECK_FALSE(prod.app);
  CHECK_FALSE(speaks_of_it(prod.faults));
}

TEST_CASE("no fault repeats a secret, wherever it was put by mistake") {
  const auto quoted = '"' + canary + '"';
  for (const auto& text :
       {keys("[" + quoted + "]"), keys(quoted), keys("[" + quoted + " " + quoted + "]"),
        keys("[" + canary + "]"), keys("[\"" + canary + "]"), keys("[{\"key\": " + quoted + "}]"),
        keys("[\"${env:KEY} " + canary + "\"]"), keys("[\"${" + canary + "}\"]"),
        with(R"("live": )" + quoted), with(R"("live": { "access": )" + quoted + " }"),
        with(R"("live": { "vendors": )" + quoted + " }"),
        with(R"("live": { "vendors": { "openai": { "key": )" + quoted + " } }, \"x\": 1 }"),
        with(R"("live": { "access": { "origins": ["https://user:)" + canary
             + R"(@a.example"] } })"),
        with(R"("live": { "access": { "origins": [)" + quoted + "] } }"),
        with(R"("live": { "access": { "public": )" + quoted + " } }")}) {
    CAPTURE(text);
    const auto loaded = load_text(text);
    CHECK_FALSE(loaded.app);
    CHECK_FALSE(loaded.faults.empty());
    CHECK_FALSE(speaks_of_it(loaded.faults));
  }
}

TEST_CASE("a key that no HTTP header can carry is refused without being shown") {
  const auto loaded = load_text(keys(R"(["${env:KEY}"])"),
                                {"dev", variables({{"KEY", canary + " with blanks"}})});
  CHECK_FALSE(loaded.app);
  CHECK_FALSE(speaks_of_it(loaded.faults));
}

TEST_CASE("secrets are not part of the release") {
  const auto one = load_text(keys(R"(["${env:KEY}"])"), {"dev", variables({{"KEY", "one"}})});
  const auto two = load_text(keys(R"(["${env:KEY}"])"), {"dev", variables({{"KEY", "two"}})});
  REQUIRE(one.app);
  REQUIRE(two.app);
  CHECK(one.app->release == two.app->release);
}

TEST_CASE("references stand anywhere in an address, and what they hold is not searched again") {
  const auto env = variables({{"A", "https://a.example"}, {"B", "${env:A}"}, {"EMPTY", ""}});
  CHECK(expand("${env:A}/x?y=${env:B}", env).value() == "https://a.example/x?y=${env:A}");
  CHECK(expand("plain $ text { }", env).value() == "plain $ text { }");
  CHECK(expand("${env:EMPTY|other}-${env:NONE|}", env).value() == "other-");
  CHECK(expand("", env).value().empty());
  CHECK(expand("${env:NONE}", env).error().reason == "unset");
  CHECK(expand("x/${env:EMPTY}", env).error().detail == "set the variable EMPTY");
  for (const std::string text : {"${A}", "x${env:A", "${file:key}", "${env:}", "a${"}) {
    CAPTURE(text);
    CHECK(expand(text, env).error().reason == "literal");
    CHECK_FALSE(references_in(text).has_value());
  }
  CHECK(references_in("${env:A}${env:B|c}")->size() == 2);
}
