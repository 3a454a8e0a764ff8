#pragma once

#include "config/app.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace sidevoice {

/// The whole number in a JSON number or text ("3", 3, 3.0), within what a double holds exactly.
std::optional<std::int64_t> whole_number(const nlohmann::json& value);

/// The amount in 1200, "1200", "1,200.50", "EUR 1200" or {"amount": 1200, "currency": "EUR"};
/// nothing for another currency, for more places than the currency has, or beyond 10^12. Negative
/// amounts need a `min` below zero.
std::optional<double> money_amount(const topic_declaration& topic, const nlohmann::json& value);

/// 1200 rather than 1200.0.
nlohmann::json number_json(double number);

[[nodiscard]] bool within(const topic_declaration& topic, double number);

/// " between 0 and 60, such as 3": the example is moved into the bounds.
std::string bounds_words(const topic_declaration& topic, const std::string& example);

} // namespace sidevoice
