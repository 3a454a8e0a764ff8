#include "config/prices.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace sidevoice;

TEST_CASE("a run costs its fresh, its cached and its output tokens, rounded up") {
  const model_price price{.input = 2, .cached_input = 0.5, .output = 8};
  CHECK(cost_micro(price, 1'000'000, 0, 0) == 2'000'000);
  CHECK(cost_micro(price, 1000, 400, 100) == 600 * 2 + 400 / 2 + 100 * 8);
  CHECK(cost_micro(price, 1, 1, 0) == 1);
  CHECK(cost_micro(price, 0, 0, 0) == 0);
  CHECK(cost_micro({}, 1000, 0, 1000) == 0);
}

TEST_CASE("decimal places of a price do not add up to a millionth too much") {
  for (const double price : {0.005, 0.025, 0.075, 0.1, 0.4, 1.1, 0.275})
    CHECK(cost_micro({.input = price}, 1'000'000, 0, 0)
          == static_cast<std::uint64_t>(price * 1e6 + 0.5));
}

TEST_CASE("what a vendor or an app file gets wrong never makes a cost run over") {
  const auto most = std::numeric_limits<std::uint64_t>::max();
  const model_price price{.input = 1e30, .cached_input = -4, .output = std::nan("")};
  CHECK(cost_micro(price, most, 0, most) == 1'000'000'000'000);
  // More of it cached than there was: all of it was.
  CHECK(cost_micro({.input = 2, .cached_input = 1}, 10, 50, 0) == 10);
  CHECK(cost_micro({.input = -1, .cached_input = 0, .output = 1}, 10, 0, 10) == 10);
}

TEST_CASE("euros become millionths") {
  CHECK(euros_to_micro(0.5) == 500'000);
  CHECK(euros_to_micro(0.000001) == 1);
  CHECK(euros_to_micro(40) == 40'000'000);
  CHECK(euros_to_micro(-1) == 0);
  CHECK(euros_to_micro(std::nan("")) == 0);
  CHECK(euros_to_micro(std::numeric_limits<double>::infinity()) == 1'000'000'000'000'000);
}

TEST_CASE("the account's own price outranks the list, and rules have none") {
  vendor_account account;
  CHECK(price_of(account, "openai", "gpt-4.1-mini")
        == model_price{.input = 0.4, .cached_input = 0.1, .output = 1.6});
  account.prices["gpt-4.1-mini"] = {.input = 1, .cached_input = 1, .output = 1};
  CHECK(price_of(account, "openai", "gpt-4.1-mini")
        == model_price{.input = 1, .cached_input = 1, .output = 1});
  CHECK_FALSE(price_of(account, "openai", "some-other-model").has_value());
  CHECK_FALSE(price_of(account, "rules", "").has_value());
}
