#include "config/prices.hpp"

#include <algorithm>
#include <cmath>

namespace sidevoice {

namespace {

constexpr double million = 1e6;
/// Nothing real comes near these; they keep sums within 64 bits.
constexpr std::uint64_t tokens_max = 100'000'000;
constexpr double price_max = 10'000;
constexpr double euros_max = 1e9;

/// "At least 0" also catches what is no number.
double bounded(double value, double most) {
  return value >= 0 ? std::min(value, most) : 0;
}

/// A price for a million tokens is, for one token, as many millionths; a millionth of those is the
/// unit here: with it the decimal places of price lists are whole numbers.
std::uint64_t cost(double price, std::uint64_t tokens) {
  return static_cast<std::uint64_t>(std::llround(bounded(price, price_max) * million))
         * std::min(tokens, tokens_max);
}

} // namespace

std::uint64_t cost_micro(const model_price& price, std::uint64_t input, std::uint64_t cached,
                         std::uint64_t output) {
  const auto kept = std::min(cached, input);
  const auto total = cost(price.input, input - kept) + cost(price.cached_input, kept)
                     + cost(price.output, output);
  constexpr std::uint64_t unit = 1'000'000;
  return total / unit + (total % unit == 0 ? 0 : 1);
}

std::uint64_t euros_to_micro(double euros) {
  return static_cast<std::uint64_t>(std::llround(bounded(euros, euros_max) * million));
}

} // namespace sidevoice
