#include "config/ids.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <set>

using namespace sidevoice;

TEST_CASE("random ids are prefix, underscore and 22 letters and digits, and never the same") {
  random_ids ids;
  std::set<std::string> seen;
  for (int i = 0; i < 10'000; ++i) {
    const auto id = ids.make("item");
    REQUIRE(id.size() == 27);
    REQUIRE(id.starts_with("item_"));
    REQUIRE(std::all_of(id.begin() + 5, id.end(), [](unsigned char c) { return std::isalnum(c); }));
    REQUIRE(seen.insert(id).second);
  }
}

TEST_CASE("random ids use the whole of their 128 bits") {
  random_ids ids;
  // The last digit is the number modulo 62: every one of them turns up.
  std::set<char> last;
  for (int i = 0; i < 5'000; ++i)
    last.insert(ids.make("x").back());
  CHECK(last.size() == 62);
}

TEST_CASE("an underscore that the prefix brings is not doubled") {
  random_ids ids;
  CHECK(ids.make("resp_").size() == ids.make("resp").size());
  CHECK(ids.make("").size() == 22);
}

TEST_CASE("ids for prefixes of up to nine characters fit into 32") {
  random_ids ids;
  CHECK(ids.make("responses").size() == 32);
}

TEST_CASE("random numbers differ") {
  random_ids ids;
  CHECK(ids.random() != ids.random());
}

TEST_CASE("counted ids repeat with their seed and differ between seeds") {
  counted_ids a{7};
  counted_ids b{7};
  counted_ids c{8};
  CHECK(a.make("item") == "item_s7_0001");
  CHECK(b.make("item") == "item_s7_0001");
  CHECK(a.make("resp_") == "resp_s7_0002");
  const auto number = a.random();
  b.make("resp_");
  CHECK(number == b.random());
  c.make("item");
  c.make("item");
  CHECK(number != c.random());
}
