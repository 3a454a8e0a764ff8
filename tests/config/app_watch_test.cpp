#include "config/app_watch.hpp"

#include "tests/config/app_support.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

using namespace sidevoice;
using namespace sidevoice::test;

namespace fs = std::filesystem;

namespace {

using kind = app_change::kind;

std::string app_text(const std::string& id, const std::string& more = "") {
  return R"({ "app": ")" + id + R"(", "checklist": { "topics": [ { "id": "x" } ] })" + more + "}";
}

/// Writes with another inode, as editors do, so that no two writes look the same.
void save(const temporary_folder& folder, const std::string& name, const std::string& text) {
  const auto beside = folder.write(name + ".new", text);
  fs::permissions(beside, fs::perms::owner_read | fs::perms::owner_write);
  fs::rename(beside, folder.path() / name);
}

app_watch watch(const temporary_folder& folder, app_watch::names known = {},
                environment env = variables()) {
  return app_watch{folder.path().string(), {"dev", std::move(env)}, std::move(known)};
}

std::string told(const std::vector<app_change>& changes) {
  std::string out;
  for (const auto& change : changes)
    out += std::string{to_string(change.what)} + ' ' + change.app + '\n';
  return out;
}

} // namespace

TEST_CASE("the first look adds all apps, later ones find nothing new") {
  const temporary_folder folder;
  save(folder, "a/app.jsonc", app_text("ant"));
  save(folder, "b/app.jsonc", app_text("bee"));
  auto apps = watch(folder);
  CHECK(told(apps.reload()) == "added ant\nadded bee\n");
  REQUIRE(apps.entries().size() == 2);
  const auto& ant = apps.entries().at("ant");
  CHECK(ant.stable->id == "ant");
  CHECK_FALSE(ant.preview);
  CHECK(ant.open);
  const auto before = ant.stable;
  CHECK(apps.reload().empty());
  CHECK(apps.reload(true).empty());
  CHECK(apps.entries().at("ant").stable == before);
}

TEST_CASE("apps come, change and go on a running server") {
  const temporary_folder folder;
  save(folder, "a/app.jsonc", app_text("ant"));
  auto apps = watch(folder);
  apps.reload();
  const auto first = apps.entries().at("ant").stable;
  save(folder, "a/app.jsonc", app_text("ant", R"(, "title": "Other")"));
  save(folder, "b/app.jsonc", app_text("bee"));
  const auto changes = apps.reload();
  CHECK(told(changes) == "changed ant\nadded bee\n");
  CHECK(changes.at(0).release->title == "Other");
  CHECK(apps.entries().at("ant").stable->release != first->release);
  fs::remove_all(folder.path() / "a");
  CHECK(told(apps.reload()) == "removed ant\n");
  CHECK_FALSE(apps.entries().at("ant").open);
  CHECK(apps.entries().at("ant").stable);
  CHECK(apps.reload().empty());
  save(folder, "a/app.jsonc", app_text("ant", R"(, "title": "Other")"));
  CHECK(told(apps.reload()) == "added ant\n");
  CHECK(apps.entries().at("ant").open);
}

TEST_CASE("a faulty file leaves its app as it was, and is told once") {
  const temporary_folder folder;
  save(folder, "a/app.jsonc", app_text("ant"));
  auto apps = watch(folder);
  apps.reload();
  const auto before = apps.entries().at("ant");
  save(folder, "a/app.jsonc", app_text("ant", R"(, "titel": "x")"));
  auto changes = apps.reload();
  CHECK(told(changes) == "faulty ant\n");
  CHECK(changes.at(0).faults.at(0).key == "titel");
  CHECK_FALSE(changes.at(0).release);
  CHECK(apps.entries().at("ant").stable == before.stable);
  CHECK(apps.entries().at("ant").live == before.live);
  CHECK(apps.entries().at("ant").open);
  CHECK(apps.reload(true).empty());
  save(folder, "a/app.jsonc", "{");
  CHECK(told(apps.reload()) == "faulty ant\n");
  CHECK(apps.entries().at("ant").open);
  save(folder, "a/app.jsonc", app_text("ant", R"(, "title": "x")"));
  CHECK(told(apps.reload()) == "changed ant\n");
  save(folder, "b/app.jsonc", "[]");
  CHECK(told(apps.reload()) == "faulty \n");
  CHECK(apps.entries().size() == 1);
}

TEST_CASE("a second file with the same id is faulty and changes nothing") {
  const temporary_folder folder;
  save(folder, "a/app.jsonc", app_text("ant"));
  save(folder, "b/app.jsonc", app_text("bee"));
  auto apps = watch(folder);
  apps.reload();
  save(folder, "b/app.jsonc", app_text("ant", R"(, "title": "Twin")"));
  const auto changes = apps.reload();
  CHECK(told(changes) == "faulty ant\nremoved bee\n");
  CHECK(changes.at(0).faults.back().remedy.find("a/app.jsonc") != std::string::npos);
  CHECK(apps.entries().at("ant").stable->title == "Ant");
}

TEST_CASE("instruction files and secret files are watched like the app file") {
  const temporary_folder folder;
  save(folder, "a/host.md", "Be kind.");
  save(folder, "a/key.txt", "key-1");
  save(folder, "a/app.jsonc",
       app_text("ant", R"(, "conversation": { "instructions": { "file": "host.md" } },
                  "live": { "access": { "server_keys": ["${file:key.txt}"] } })"));
  auto apps = watch(folder);
  apps.reload();
  apps.reload();
  const auto stable = apps.entries().at("ant").stable;
  save(folder, "a/key.txt", "key-2");
  CHECK(told(apps.reload()) == "live_changed ant\n");
  CHECK(apps.entries().at("ant").live->server_keys == std::vector<std::string>{"key-2"});
  CHECK(apps.entries().at("ant").stable == stable);
  save(folder, "a/host.md", "Be brief.");
  CHECK(told(apps.reload()) == "changed ant\n");
  CHECK(apps.entries().at("ant").stable->conversation_instructions == "Be brief.");
  fs::remove(folder.path() / "a/host.md");
  CHECK(told(apps.reload()) == "faulty ant\n");
  save(folder, "a/host.md", "Be brief.");
  CHECK(apps.reload().empty());
  CHECK(apps.entries().at("ant").open);
}

TEST_CASE("a saved file becomes the preview where the app says so, beside the stored stable") {
  const temporary_folder folder;
  const std::string on_save = R"(, "live": { "releases": { "on_save": "preview" } })";
  const auto stored = load_text(app_text("ant", R"(, "title": "Stored")")).app;
  save(folder, "a/app.jsonc", app_text("ant", on_save));
  auto apps = watch(folder, {{"ant", {stored, nullptr}}});
  CHECK(told(apps.reload()) == "added ant\n");
  CHECK(apps.entries().at("ant").stable == stored);
  CHECK(apps.entries().at("ant").preview->title == "Ant");
  CHECK(apps.entries().at("ant").release({}) == stored);
  save(folder, "a/app.jsonc", app_text("ant", on_save + R"(, "title": "Next")"));
  CHECK(told(apps.reload()) == "changed ant\n");
  CHECK(apps.entries().at("ant").stable == stored);
  const auto next = apps.entries().at("ant").preview;
  CHECK(next->title == "Next");
  // Promoted: the preview is stable now, and stays so when the file is read again.
  CHECK(apps.name_releases("ant", {next, next}));
  CHECK_FALSE(apps.name_releases("none", {next, next}));
  CHECK(apps.reload(true).empty());
  CHECK(apps.entries().at("ant").stable == next);
}

TEST_CASE("a file saved as stable leaves the stored preview alone") {
  const temporary_folder folder;
  const auto preview = load_text(app_text("ant", R"(, "title": "Soon")")).app;
  save(folder, "a/app.jsonc", app_text("ant"));
  auto apps = watch(folder, {{"ant", {nullptr, preview}}});
  apps.reload();
  CHECK(apps.entries().at("ant").stable->title == "Ant");
  CHECK(apps.entries().at("ant").preview == preview);
}
