#include "tests/config/app_support.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <string>

using namespace sidevoice;
using namespace sidevoice::test;

namespace fs = std::filesystem;

namespace {

app_ptr good(const std::string& text, const app_load_options& options = {"dev", variables()}) {
  const auto loaded = load_text(text, options);
  INFO(listing(loaded.faults));
  REQUIRE(loaded.app);
  return loaded.app;
}

std::string release(const std::string& text) {
  return good(text)->release;
}

bool all_warnings(const std::vector<app_fault>& faults) {
  return std::all_of(faults.begin(), faults.end(), [](const app_fault& f) { return f.warning; });
}

} // namespace

TEST_CASE("the smallest app needs an id and its topics' ids") {
  const auto loaded =
    load_text(R"({ "app": "moving", "checklist": { "topics": [ { "id": "name" }, { "id": "email" },
                { "id": "date" }, { "id": "special_wishes" } ] } })");
  INFO(listing(loaded.faults));
  const auto app = loaded.app;
  REQUIRE(app);
  CHECK(app->id == "moving");
  CHECK(app->title == "Moving");
  CHECK(app->language == "en");
  REQUIRE(app->topics.size() == 4);
  CHECK(app->topics[0].type == topic_type::person_name);
  CHECK(app->topics[1].type == topic_type::email);
  CHECK(app->topics[2].type == topic_type::date);
  CHECK(app->topics[3].type == topic_type::text);
  CHECK(app->topics[3].label == "Special wishes");
  CHECK_FALSE(app->topics[0].required);
  REQUIRE(app->conversation_models.size() == 1);
  CHECK(app->conversation_models[0].vendor == "rules");
  CHECK(app->analyzer_models == app->conversation_models);
  CHECK(app->release.starts_with("sha256:"));
  CHECK(app->release.size() == 7 + 64);
  CHECK_FALSE(loaded.live->is_public);
  CHECK(app->find_topic("email") == &app->topics[1]);
  CHECK(app->find_topic("phone") == nullptr);
}

TEST_CASE("the example app loads on a machine without any variable, and says what it skips") {
  const auto path = std::string{SIDEVOICE_SOURCE_DIR} + "/apps/moving";
  const auto loaded = load_app(path, {"dev", variables()});
  INFO(listing(loaded.faults));
  REQUIRE(loaded.app);
  CHECK(all_warnings(loaded.faults));
  const auto told = listing(loaded.faults);
  for (const std::string variable : {"MOVING_KEY", "OPENAI_API_KEY", "AZURE_KEY", "SHOP_URL"})
    CHECK(told.find("the unset variable " + variable) != std::string::npos);
  CHECK(loaded.live->vendors.empty());
  const auto& app = *loaded.app;
  REQUIRE(app.topics.size() == 11);
  CHECK(app.greeting.find("{{user.name|there}}") != std::string::npos);
  CHECK(app.conversation_instructions.find("Happy Removals") != std::string::npos);
  CHECK(app.analyzer_instructions.find("checklist") != std::string::npos);
  CHECK(app.find_topic("date")->min_today);
  CHECK(app.find_topic("fragile")->list);
  CHECK(app.find_topic("fragile")->after == std::vector<std::string>{"home"});
  CHECK(app.find_topic("email")->confirm == topic_confirm::read_back);
  CHECK(app.find_topic("email")->sensitive);
  CHECK(app.find_topic("budget")->currency == "EUR");
  CHECK(app.find_topic("home")->choices.at(0) == topic_choice{"studio", {"one room", "bedsit"}});
  const auto floor = app.find_topic("floor")->when.at(0);
  CHECK(floor.topic == "home");
  CHECK(floor.any_of == std::vector<json_text>{"\"studio\"", "\"flat\""});
  const auto lift = app.find_topic("lift")->when.at(0);
  CHECK(lift.min.value_or(0) == 1.0);
  CHECK(lift.any_of.empty());
  CHECK(loaded.live->is_public);
  CHECK(loaded.live->origins.at(0) == "http://localhost:3000");
  CHECK(loaded.live->server_keys.empty());

  CHECK(app.find_tool("book_visit")->effect == tool_effect::once);
  CHECK(app.find_tool("book_visit")->needs_approval);
  CHECK(app.conversation_models.back().vendor == "rules");

  const auto served =
    load_app(path, {"prod", variables({{"MOVING_KEY", "k-1"},
                                       {"OPENAI_API_KEY", "k-2"},
                                       {"AZURE_KEY", "k-3"},
                                       {"AZURE_OPENAI_URL", "https://a.example/openai/v1"},
                                       {"SHOP_URL", "https://shop.example"},
                                       {"MOVING_TOOLS_SECRET", "s-1"}})});
  INFO(listing(served.faults));
  REQUIRE(served.app);
  CHECK(served.live->origins == std::vector<std::string>{"https://happy-removals.example"});
  CHECK(served.live->server_keys == std::vector<std::string>{"k-1"});
  CHECK(served.live->vendors.at("openai").key == "k-2");
  CHECK(served.app->release == app.release);
}

TEST_CASE("keys of later versions are checked, and a warning says that they do nothing") {
  const auto loaded = load_text(with(R"(
    "language": { "default": "en", "also": ["de"] },
    "analyzer": { "runs_on": ["turn", "partial"] },
    "conversation": { "tools": ["crm"] },
    "tools": { "crm": { "kind": "mcp", "url": "https://crm.example", "allow": ["find"] } },
    "live": { "session_start": { "url": "https://a.example" },
              "webhooks": [ { "url": "https://a.example" } ],
              "privacy": { "recordings": "on" } })"));
  INFO(listing(loaded.faults));
  CHECK(loaded.app);
  CHECK(all_warnings(loaded.faults));
  CHECK(loaded.faults.size() == 6);
  CHECK(loaded.faults.at(0).remedy == "the offline engines speak \"en\" only");
  CHECK(loaded.app->find_tool("crm")->allow == std::vector<std::string>{"find"});
}

TEST_CASE("an account bounds the runs that its vendor has at once") {
  const auto loaded = load_text(with(R"("live": { "vendors": {
      "openai": { "base_url": "http://127.0.0.1:9/v1", "concurrency": 3 },
      "azure": { "key": "${env:KEY}", "openai_url": "https://a.example/openai/v1" } } })"),
                                {"dev", variables({{"KEY", "canary-7f3a"}})});
  INFO(listing(loaded.faults));
  REQUIRE(loaded.live);
  CHECK(loaded.live->vendors.at("openai").concurrency == 3);
  CHECK(loaded.live->vendors.at("azure").concurrency == 64);
}

TEST_CASE("models are named by vendor and model, or as objects with options of the vendor") {
  const auto app = good(with(R"("models": { "conversation": ["openai:gpt:x",
    { "vendor": "azure", "model": "m", "temperature": 0.5 }, "rules"] })"));
  REQUIRE(app->conversation_models.size() == 3);
  CHECK(app->conversation_models[0].vendor == "openai");
  CHECK(app->conversation_models[0].model == "gpt:x");
  CHECK(app->conversation_models[0].options == R"({"model":"gpt:x","vendor":"openai"})");
  CHECK(app->conversation_models[1].model == "m");
  CHECK(app->conversation_models[1].options
        == R"({"model":"m","temperature":0.5,"vendor":"azure"})");
  CHECK(app->conversation_models[2] == model_choice{"rules", "", R"({"vendor":"rules"})"});
}

TEST_CASE("a condition holds the canonical value of the other topic's type") {
  const auto app = good(with_topics(R"(
    { "id": "home", "type": "choice", "list": true, "choices": { "flat": ["apartment"] } },
    { "id": "pets", "type": "yes_no" },
    { "id": "day", "type": "date", "min": "today" },
    { "id": "x", "when": { "home": "Apartment", "pets": "yes", "day": ["2020-01-01"] } })"));
  const auto& when = app->topics[3].when;
  REQUIRE(when.size() == 3);
  CHECK(when[0].any_of == std::vector<json_text>{"\"flat\""});
  CHECK(when[1].any_of == std::vector<json_text>{"true"});
  CHECK(when[2].any_of == std::vector<json_text>{"\"2020-01-01\""});
}

TEST_CASE("a release is what the app is, however its file is written") {
  const auto base = release(R"({ "app": "a", "title": "t", "page": { "accent": "#fff",
    "notice": "n" }, "checklist": { "topics": [ { "id": "x", "label": "l" } ] } })");
  CHECK(base == release(R"({ // a comment
    "checklist": { "topics": [ { "label": "l", "id": "x", }, ], },
    "page": { "notice": "n", "accent": "#fff" }, "title": "t", "app": "a" })"));
  CHECK(base == release(R"({ "$schema": "s.json", "app": "a", "title": "t", "page": {
    "accent": "#fff", "notice": "n" }, "checklist": { "topics": [ { "id": "x", "label": "l" } ] },
    "live": { "access": { "origins": ["https://a.example"], "public": true } },
    "profiles": { "dev": { "live": { "access": { "public": false } } } } })"));
  CHECK(base != release(R"({ "app": "a", "title": "t", "page": { "accent": "#fff",
    "notice": "N" }, "checklist": { "topics": [ { "id": "x", "label": "l" } ] } })"));
}

TEST_CASE("the order of topics and of choices belongs to the release") {
  CHECK(release(with_topics(R"({ "id": "x" }, { "id": "y" })"))
        != release(with_topics(R"({ "id": "y" }, { "id": "x" })")));
  CHECK(
    release(with_topics(R"({ "id": "x", "type": "choice", "choices": { "a": [], "b": [] } })"))
    != release(with_topics(R"({ "id": "x", "type": "choice", "choices": { "b": [], "a": [] } })")));
}

TEST_CASE("instructions in a file belong to the release as if they stood in the app file") {
  const temporary_folder folder;
  folder.write("host.md", "Be kind.");
  folder.write("app.jsonc", with(R"("conversation": { "instructions": { "file": "host.md" } })"));
  const auto from_file = load_app(folder.path().string(), {"dev", variables()});
  REQUIRE(from_file.app);
  CHECK(from_file.app->conversation_instructions == "Be kind.");
  CHECK(from_file.app->release
        == release(with(R"("conversation": { "instructions": "Be kind." })")));
  folder.write("host.md", "Be brief.");
  CHECK(load_app(folder.path().string(), {"dev", variables()}).app->release
        != from_file.app->release);
}

TEST_CASE("instruction files that lead out of the folder or are no text are refused") {
  const temporary_folder folder;
  const auto outside = folder.write("outside.md", "secret canary");
  const auto file = folder.write(
    "app/app.jsonc", with(R"("conversation": { "instructions": { "file": "host.md" } })"));
  fs::create_symlink(outside, folder.path() / "app/host.md");
  const auto refused = [&](const std::string& part) {
    const auto loaded = load_app(file, {"dev", variables()});
    REQUIRE(loaded.faults.size() == 1);
    CAPTURE(listing(loaded.faults));
    CHECK(loaded.faults[0].remedy.find(part) != std::string::npos);
    CHECK(listing(loaded.faults).find("canary") == std::string::npos);
  };
  refused("no link out of it");
  fs::remove(folder.path() / "app/host.md");
  folder.write("app/host.md", "\xFF");
  refused("UTF-8");
  folder.write("app/host.md", " \n");
  refused("empty");
  folder.write("app/host.md", std::string(400'001, 'x'));
  refused("too large");
  fs::remove(folder.path() / "app/host.md");
  fs::create_directory(folder.path() / "app/host.md");
  refused("no plain file");
}

TEST_CASE("a folder of apps loads each of them, and faults of one leave the others") {
  const temporary_folder folder;
  folder.write("b/app.jsonc", R"({ "app": "bee", "checklist": { "topics": [ { "id": "x" } ] } })");
  folder.write("a/app.jsonc", R"({ "app": "ant", "checklist": { "topics": [ { "id": "x" } ] } })");
  folder.write("c/app.jsonc", "{");
  folder.write("d/app.jsonc", R"({ "app": "ant", "checklist": { "topics": [ { "id": "x" } ] } })");
  folder.write("e/notes.txt", "no app");
  const auto loaded = load_apps(folder.path().string(), {"dev", variables()});
  REQUIRE(loaded.apps.size() == 2);
  CHECK(loaded.apps[0].app->id == "ant");
  CHECK(loaded.apps[1].app->id == "bee");
  REQUIRE(loaded.faults.size() == 2);
  CHECK(loaded.faults[0].file.ends_with("c/app.jsonc"));
  CHECK(loaded.faults[1].found == "\"ant\" a second time");

  CHECK(load_apps((folder.path() / "a").string(), {"dev", variables()}).apps.size() == 1);
  CHECK(load_apps((folder.path() / "a/app.jsonc").string(), {"dev", variables()}).apps.size() == 1);
  CHECK(load_apps((folder.path() / "e").string(), {"dev", variables()}).faults.size() == 1);
  CHECK(load_apps((folder.path() / "none").string(), {"dev", variables()}).faults.size() == 1);
}
