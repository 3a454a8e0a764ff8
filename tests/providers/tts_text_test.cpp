#include "providers/speech/models_folder.hpp"
#include "providers/speech/speakable_text.hpp"

#include <doctest/doctest.h>

#include <map>

namespace sidevoice {

TEST_CASE("what an English voice cannot say is written so that it can, or left out") {
  const auto text = [](const char* given) { return make_speakable(given).text; };
  CHECK(text("Hello, world!") == "Hello, world!");
  CHECK(text("It\xe2\x80\x99s \xe2\x80\x9cgood\xe2\x80\x9d \xe2\x80\x94 really\xe2\x80\xa6")
        == "It's \"good\" , really...");
  CHECK(text("\xc3\x84rger in M\xc3\xbcnchen, Stra\xc3\x9f"
             "e")
        == "Arger in Munchen, Strasse");
  CHECK(text("\xc5\x81\xc3\xb3"
             "d\xc5\xba")
        == "Lodz");
  CHECK(text("e\xcc\x81t\xc3\xa9") == "ete");
  CHECK(text("20\xc2\xb0"
             "C for 5\xe2\x82\xac")
        == "20 degrees C for 5 euros ");
  CHECK(text("a\x01\x02\nb\r\n\tc") == "a b c");
  CHECK(text("\xe4\xbd\xa0\xe5\xa5\xbd ok \xf0\x9f\x98\x80") == "ok ");
  CHECK(text("bad \xc3\x28 \xff utf") == "bad ( utf");
}

TEST_CASE("only letters and digits are worth a voice") {
  for (const auto* nothing : {"", " ", "...", "?!", "\xf0\x9f\x98\x80", "\xe4\xbd\xa0\xe5\xa5\xbd"})
    CHECK_FALSE(make_speakable(nothing).has_words());
  for (const auto* something : {"a", "7", "\xc3\xa9", "5\xe2\x82\xac"})
    CHECK(make_speakable(something).has_words());
}

TEST_CASE("each byte that is said knows where it ends in the text it came from") {
  const std::string given = "5\xe2\x82\xac  \xc3\x9f!";
  const auto made = make_speakable(given);
  CHECK(made.text == "5 euros ss!");
  REQUIRE(made.source_end.size() == made.text.size());
  CHECK(made.source_end.front() == 1);
  // The euro ends behind the two spaces that follow it.
  CHECK(made.source_end[7] == 6);
  CHECK(made.source_end[9] == 8);
  CHECK(made.source_end.back() == given.size());
}

TEST_CASE("models are looked for in their own variable, the cache's, then at home") {
  std::map<std::string, std::string> set;
  const environment env = [&](const std::string& name) -> std::optional<std::string> {
    const auto it = set.find(name);
    return it == set.end() ? std::nullopt : std::optional{it->second};
  };
  CHECK(default_models_folder(env) == "./.cache/sidevoice/models");
  set["HOME"] = "/users/ada";
  CHECK(default_models_folder(env) == "/users/ada/.cache/sidevoice/models");
  set["SIDEVOICE_CACHE"] = "/var/cache/voice";
  CHECK(default_models_folder(env) == "/var/cache/voice/models");
  set["SIDEVOICE_MODELS"] = "/srv/models";
  CHECK(default_models_folder(env) == "/srv/models");
  set["SIDEVOICE_MODELS"] = "";
  CHECK(default_models_folder(env) == "/var/cache/voice/models");
}

} // namespace sidevoice
