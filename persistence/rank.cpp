#include "persistence/rank.hpp"

#include <algorithm>
#include <cstddef>

namespace sidevoice {

namespace {

constexpr std::string_view digits = "0123456789abcdefghijklmnopqrstuvwxyz";
constexpr int base = 36;
constexpr std::size_t whole_digits = 8;
/// Far from both ends, so that there is room in front as well as behind.
constexpr std::string_view first_rank = "10000000";

int value_at(std::string_view rank, std::size_t at) {
  if (at >= rank.size())
    return 0;
  const auto value = digits.find(rank[at]);
  return value == std::string_view::npos ? base - 1 : static_cast<int>(value);
}

/// The first 8 digits, one higher or lower; empty when there is no such number.
std::string neighbour(std::string_view rank, bool higher) {
  const char end = higher ? 'z' : '0';
  const char restart = higher ? '0' : 'z';
  std::string whole(whole_digits, '0');
  for (std::size_t i = 0; i < whole_digits; ++i)
    whole[i] = digits[static_cast<std::size_t>(value_at(rank, i))];
  for (auto at = whole_digits; at-- > 0;) {
    if (whole[at] != end) {
      whole[at] = digits[static_cast<std::size_t>(value_at(whole, at) + (higher ? 1 : -1))];
      return whole;
    }
    whole[at] = restart;
  }
  return {};
}

/// A rank above `before` and below `after`, both read as fractions. An empty `after` is 1. The
/// result never ends in 0, so there is room below it.
std::string midpoint(std::string_view before, std::string_view after) {
  std::string out;
  bool bounded = !after.empty();
  for (std::size_t at = 0;; ++at) {
    const int low = value_at(before, at);
    const int high = bounded ? value_at(after, at) : base;
    const int middle = (low + high) / 2;
    if (middle > low) {
      out += digits[static_cast<std::size_t>(middle)];
      break;
    }
    out += digits[static_cast<std::size_t>(low)];
    // Once a digit is below that of `after`, everything that follows is.
    bounded = bounded && low == high;
    if (bounded && at >= std::max(before.size(), after.size()))
      return out + 'i'; // Equal bounds break the contract; anything behind `before` will do.
  }
  // A rank is its whole part and a fraction; a short result is filled up.
  if (out.size() < whole_digits)
    out.resize(whole_digits, '0');
  return out;
}

} // namespace

std::string rank_after(std::string_view last) {
  if (last.empty())
    return std::string{first_rank};
  auto next = neighbour(last, true);
  return next.empty() ? midpoint(last, {}) : next;
}

std::string rank_between(std::string_view before, std::string_view after) {
  if (after.empty())
    return rank_after(before);
  if (before.empty()) {
    auto previous = neighbour(after, false);
    if (!previous.empty())
      return previous;
  }
  return midpoint(before, after);
}

} // namespace sidevoice
