#include "tests/config/app_corpus.hpp"

#include "config/jsonc.hpp"
#include "config/schemas.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>

using namespace sidevoice;
using namespace sidevoice::test;

using nlohmann::json;
using nlohmann::ordered_json;

namespace {

/// What no schema can know: names that must fit together, the world outside the file, and words of
/// a type that is not written.
bool is_beyond_schema(const app_fault& fault) {
  const auto says = [&](const char* part) {
    return fault.found.find(part) != std::string::npos
           || fault.remedy.find(part) != std::string::npos;
  };
  const auto ends = [&](const char* part) { return fault.key.ends_with(part); };
  if (fault.found == "nothing")
    return ends(".choices") || ends(".currency") || ends(".schema") || ends(".openai_url");
  if (fault.key.find(".schema.") != std::string::npos
      || fault.key.find(".parameters.") != std::string::npos
      || fault.key.find(".when.") != std::string::npos)
    return true;
  return says("which is no") || says("a second time") || says("belongs to type")
         || says("unset variable") || says("no such file") || says("no web address")
         || says("no origin") || says("scheme and host") || says("a circle")
         || says("min above max") || says("without an account") || says("\"effect\" and")
         || says("ISO 4217") || says("the only bound that a date knows") || says("cannot ask");
}

app_load load_changed(const temporary_folder& folder, const ordered_json& root) {
  folder.write("app.jsonc", root.dump());
  return load_app(folder.path().string(), {"dev", variables()});
}

bool refused_by_readers(const app_load& loaded) {
  return std::any_of(loaded.faults.begin(), loaded.faults.end(), [](const app_fault& f) {
    return !f.warning && f.found != "a value that the schema refuses";
  });
}

bool all_beyond_schema(const app_load& loaded) {
  return std::all_of(loaded.faults.begin(), loaded.faults.end(),
                     [](const app_fault& f) { return f.warning || is_beyond_schema(f); });
}

/// Changes a file at one place after the other, each place in one of seven ways by turns: another
/// value, a key more, or gone.
template <class Look>
class place_changer {
public:
  explicit place_changer(Look look) : look_(std::move(look)) {}

  void change(ordered_json& place, const std::string& path) {
    static const std::vector<ordered_json> others = {
      nullptr, -1.5, "zebra crossing", true, ordered_json::array(), ordered_json::object()};
    const auto was = place;
    if (const auto way = turn_++ % (others.size() + 1); way < others.size()) {
      place = others[way];
      look_(path + " = " + place.dump());
    } else if (place.is_object()) {
      place["zebra crossing"] = 1;
      look_(path + " and a key");
    }
    place = was;
    if (place.is_array())
      for (std::size_t i = 0; i < place.size(); ++i)
        change(place[i], path_of(path, i));
    if (place.is_object())
      for (const auto& member : was.items()) {
        if (turn_ % 3 == 0) {
          place.erase(member.key());
          look_(path + " without " + member.key());
          place = was;
        }
        change(place[member.key()], path_of(path, member.key()));
      }
  }

private:
  Look look_;
  std::size_t turn_ = 0;
};

} // namespace

TEST_CASE("each kind of fault names line, key, what was found and how to mend it") {
  const auto files = faulty_files();
  CHECK(files.size() >= 120);
  for (const auto& file : files) {
    CAPTURE(file.path);
    const temporary_folder folder;
    folder.write("app/app.jsonc", file.text);
    const auto loaded = load_app((folder.path() / "app").string(), file.options);
    CHECK_FALSE(loaded.app);
    CHECK_FALSE(loaded.live);
    CAPTURE(listing(loaded.faults));
    CHECK(listing(loaded.faults).find(canary) == std::string::npos);
    auto faults = loaded.faults;
    std::erase_if(faults, [](const app_fault& f) { return f.warning; });
    CHECK(faults.size() == 1);
    if (faults.empty())
      continue;
    CHECK(faults[0].line == file.line);
    CHECK(faults[0].key == file.key);
    CHECK(faults[0].found.find(file.found) != std::string::npos);
    CHECK(faults[0].remedy.find(file.remedy) != std::string::npos);
    // The readers have the better words: what the schema refuses they have found before.
    CHECK(faults[0].found != "a value that the schema refuses");
  }
}

TEST_CASE("the published schema refuses what it can know of the faulty files") {
  for (const auto& file : faulty_files()) {
    CAPTURE(file.path);
    const auto document = parse_jsonc(file.text);
    if (file.schema == "none") {
      CHECK_FALSE(document.root);
      continue;
    }
    REQUIRE(document.root);
    const auto wrong = find_breach(app_schema(), json(*document.root));
    CAPTURE(wrong.value_or(schema_breach{}).path);
    CAPTURE(wrong.value_or(schema_breach{}).what);
    CHECK(file.schema == (wrong ? "refuses" : "accepts"));
    if (wrong)
      CHECK((wrong->path + wrong->what).find(canary) == std::string::npos);
  }
}

TEST_CASE("good files please readers and schema") {
  for (const auto& path : good_files()) {
    CAPTURE(path);
    const auto document = parse_jsonc(read_whole(path));
    REQUIRE(document.root);
    const auto wrong = find_breach(app_schema(), json(*document.root));
    CAPTURE(wrong.value_or(schema_breach{}).path);
    CAPTURE(wrong.value_or(schema_breach{}).what);
    CHECK_FALSE(wrong);
    const auto loaded = load_app(path, {"dev", variables()});
    INFO(listing(loaded.faults));
    CHECK(loaded.app);
  }
}

TEST_CASE("schema and readers agree on a file with every key, changed at each of its places") {
  auto root = *parse_jsonc(read_whole(good_files().at(2))).root;
  const temporary_folder folder;
  folder.write("host.md", "Be kind.");
  folder.write("analyzer.md", "Listen.");
  std::size_t refused = 0;
  std::size_t accepted = 0;
  const auto look = [&](const std::string& change) {
    CAPTURE(change);
    const auto schema_refuses = find_breach(app_schema(), json(root)).has_value();
    const auto loaded = load_changed(folder, root);
    const auto readers_refuse = refused_by_readers(loaded);
    INFO(listing(loaded.faults));
    if (schema_refuses)
      CHECK(readers_refuse);
    else
      CHECK((!readers_refuse || all_beyond_schema(loaded)));
    ++(schema_refuses ? refused : accepted);
  };
  place_changer{look}.change(root, "");
  CHECK(refused > 200);
  CHECK(accepted > 30);
}

TEST_CASE("every key of the schema is described or plain, and in the file with every key") {
  // A key that the whole file does not have is a key that no other test looks at.
  const auto text = read_whole(good_files().at(2));
  const auto look = [&](const json& properties, const auto& self) -> void {
    for (const auto& member : properties.items()) {
      const auto key = member.key();
      const auto& schema = member.value();
      if (schema.is_boolean())
        continue;
      CAPTURE(key);
      CHECK(text.find('"' + key + '"') != std::string::npos);
      if (schema.contains("properties"))
        self(schema["properties"], self);
    }
  };
  look(app_schema()["properties"], look);
  for (const auto& [name, definition] : app_schema()["definitions"].items())
    if (definition.contains("properties"))
      look(definition["properties"], look);
}
