#pragma once

#include "config/vendor_account.hpp"
#include "config/vendors.hpp"

#include <cstdint>

/// What models cost; `price_of` (config/vendors.hpp) says at which price. Money is counted in
/// millionths of a euro, so that sums are exact.
namespace sidevoice {

/// Cost of a run in millionths of a euro, rounded up. `input` counts all tokens of the prompt,
/// `cached` the part of them that the vendor had kept. A default price costs nothing, which is what
/// models without a price (and "rules") do.
std::uint64_t cost_micro(const model_price& price, std::uint64_t input, std::uint64_t cached,
                         std::uint64_t output);

/// Euros of the app file as millionths. Negative ones and those that are no number are 0.
std::uint64_t euros_to_micro(double euros);

} // namespace sidevoice
