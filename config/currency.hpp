#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sidevoice {

/// The active codes of ISO 4217 that name money people pay with.
const std::vector<std::string>& currency_codes();

/// Digits behind the point: 2 for EUR, 0 for JPY, 3 for KWD; nothing for an unknown code.
std::optional<int> currency_digits(std::string_view code);

/// "1,200", "0.50", "-3"; the point and `digits` places only where the amount is not whole.
std::string format_amount(double amount, int digits);

} // namespace sidevoice
