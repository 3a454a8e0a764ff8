#include "persistence/rank.hpp"

#include "tests/persistence/samples.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

using namespace sidevoice;
using namespace sidevoice::samples;

TEST_CASE("ranks at the end grow in order and keep 8 digits") {
  std::string last;
  for (int i = 0; i < 10'000; ++i) {
    const auto next = rank_after(last);
    REQUIRE(next > last);
    REQUIRE(next.size() == 8);
    last = next;
  }
}

TEST_CASE("ranks at the front shrink in order and keep 8 digits") {
  auto first = rank_after("");
  for (int i = 0; i < 10'000; ++i) {
    const auto before = rank_between("", first);
    REQUIRE(before < first);
    REQUIRE(before.size() == 8);
    first = before;
  }
}

TEST_CASE("10,000 random inserts keep their order and stay short") {
  random_engine random{7};
  std::vector<std::string> ranks{rank_after("")};
  std::size_t longest = 0;
  for (int i = 0; i < 10'000; ++i) {
    const auto place = below(random, ranks.size() + 1);
    const auto before = place == 0 ? std::string{} : ranks[place - 1];
    const auto rank = place == ranks.size() ? rank_after(before)
                                            : rank_between(before, ranks[place]);
    ranks.insert(ranks.begin() + static_cast<std::ptrdiff_t>(place), rank);
    longest = std::max(longest, rank.size());
  }
  CHECK(std::is_sorted(ranks.begin(), ranks.end()));
  CHECK(std::set<std::string>(ranks.begin(), ranks.end()).size() == ranks.size());
  CHECK(longest <= 24);
}

TEST_CASE("there is always room at one and the same place") {
  for (const bool upper : {false, true}) {
    std::string low = rank_after("");
    std::string high = rank_after(low);
    for (int i = 0; i < 500; ++i) {
      const auto middle = rank_between(low, high);
      REQUIRE(low < middle);
      REQUIRE(middle < high);
      (upper ? low : high) = middle;
    }
  }
}

TEST_CASE("between neighbours whose last digit carries there is room") {
  CHECK(rank_between("1000000z", "10000010") > "1000000z");
  CHECK(rank_between("1000000z", "10000010") < "10000010");
  CHECK(rank_between("10000000", "100000001") > "10000000");
  CHECK(rank_between("10000000", "100000001") < "100000001");
}

TEST_CASE("the last and the first whole number have room beyond them") {
  CHECK(rank_after("zzzzzzzz") > "zzzzzzzz");
  CHECK(rank_between("", "00000000i") < "00000000i");
  CHECK(rank_between("", "00000001") < "00000001");
}

TEST_CASE("behind a fraction comes the next whole number") {
  CHECK(rank_after("10000004i") == "10000005");
}
