#include "persistence/upcast.hpp"
#include "tests/persistence/samples.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace sidevoice;
using namespace sidevoice::samples;

TEST_CASE("every body reads back as it was written") {
  std::set<std::size_t> kinds;
  for (const auto& body : one_of_each()) {
    const auto back = decode(type_of(body), version_of(body), encode(body));
    REQUIRE(back.has_value());
    CHECK(*back == body);
    CHECK(encode(*back) == encode(body));
    kinds.insert(body.index());
  }
  CHECK(kinds.size() == std::variant_size_v<event_body>);
}

TEST_CASE("fields in their default may be absent") {
  const auto back = decode("item.put", 1, R"({"rank":"1","item":{"id":"a","kind":"message"}})");
  REQUIRE(back.has_value());
  CHECK(*back == event_body{item_put{.rank = "1", .value = {.id = "a"}}});
}

TEST_CASE("keys are in alphabetical order") {
  CHECK(encode(response_started{.response = "r", .attempt = 1, .item = "i"})
        == R"({"attempt":1,"item":"i","response":"r"})");
}

TEST_CASE("fields that a later version added are ignored") {
  const auto back = decode("item.removed", 1, R"({"id":"item_1","why":{"deep":[1,2]},"zoo":null})");
  REQUIRE(back.has_value());
  CHECK(*back == event_body{item_removed{.id = "item_1"}});
}

TEST_CASE("a version from the future is refused by name") {
  const auto refused = decode("item.removed", 2, R"({"id":"item_1"})");
  REQUIRE(refused.has_error());
  CHECK(refused.error().code == errc::damaged);
  CHECK(refused.error().detail.find("newer sidevoice") != std::string::npos);
}

TEST_CASE("an unknown type is refused") {
  const auto refused = decode("item.painted", 1, "{}");
  REQUIRE(refused.has_error());
  CHECK(refused.error().code == errc::damaged);
  CHECK(decode("erased", 1, "{}").has_error());
}

TEST_CASE("fields of the wrong type are damage") {
  for (const auto* body : {R"({"id":7})", R"({"id":""})", "{}", "[]", "\"x\"", "{\"id\":", ""})
    CHECK_MESSAGE(decode("item.removed", 1, body).has_error(), body);
  CHECK(decode("analysis.done", 1, R"({"head_read":-1})").has_error());
  CHECK(decode("analysis.done", 1, R"({"head_read":1.5})").has_error());
  CHECK(decode("response.started", 1, R"({"response":"r","attempt":4294967296})").has_error());
  CHECK(decode("response.done", 1, R"({"response":"r","status":"fine"})").has_error());
}

TEST_CASE("an error of decoding does not repeat what a user said") {
  const auto refused = decode("item.removed", 1, R"({"id":"my secret)");
  REQUIRE(refused.has_error());
  CHECK(refused.error().detail.find("secret") == std::string::npos);
}

TEST_CASE("an upcaster takes an old body to the current version") {
  const upcaster_table table{
    {{"item.removed", -1},
     [](const json_text& body) -> result<json_text> { return body + R"("item_7"})"; }},
    {{"item.removed", 0},
     [](const json_text& body) -> result<json_text> { return R"({"id)" + body.substr(6); }}};
  const auto back = decode("item.removed", -1, R"({"name":)", table);
  REQUIRE(back.has_value());
  CHECK(*back == event_body{item_removed{.id = "item_7"}});
  CHECK(decode("item.removed", 1, R"({"id":"item_7"})", table).value() == *back);
}

TEST_CASE("an old version without an upcaster is damage, and so is an upcaster's error") {
  CHECK(decode("item.removed", 0, R"({"id":"item_1"})").has_error());
  const upcaster_table table{{{"item.removed", 0}, [](const json_text&) -> result<json_text> {
                                return error{.code = errc::damaged, .detail = "no"};
                              }}};
  CHECK(decode("item.removed", 0, R"({"id":"item_1"})", table).error().detail == "no");
}

TEST_CASE("garbage is refused or read, never a crash") {
  random_engine random{20270312};
  std::size_t refused = 0;
  for (int round = 0; round < 4000; ++round) {
    const auto bodies = one_of_each();
    const auto& body = bodies[below(random, bodies.size())];
    auto text = encode(body);
    for (auto changes = 1 + below(random, 4); changes-- > 0 && !text.empty();) {
      const auto at = below(random, text.size());
      if (below(random, 3) == 0)
        text.erase(at, 1 + below(random, 5));
      else
        text[at] = static_cast<char>(below(random, 256));
    }
    const auto back = decode(type_of(body), 1, text);
    refused += back.has_error() ? 1 : 0;
    if (back.has_error())
      CHECK(back.error().code == errc::damaged);
    else
      CHECK(decode(type_of(*back), 1, encode(*back)).value() == *back);
  }
  CHECK(refused > 1000);
}

TEST_CASE("names of statuses read back") {
  for (const auto status : {topic_status::open, topic_status::answered, topic_status::confirmed,
                            topic_status::contradicted, topic_status::skipped})
    CHECK(topic_status_from(to_string(status)) == status);
  CHECK_FALSE(topic_status_from("done").has_value());
}
