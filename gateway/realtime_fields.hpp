#pragma once

#include "gateway/realtime_wire.hpp"

#include <nlohmann/json_fwd.hpp>

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

/// Checks of single fields of client events; each says what was expected, and where.
namespace sidevoice {

std::optional<realtime_fault> missing(const std::string& param);
/// `expected` completes the sentence "must be ...".
std::optional<realtime_fault> wrong_type(const std::string& param, const std::string& expected);

/// "tools" and 0 to "tools[0]".
std::string at_index(const std::string& path, std::size_t index);
/// "session" and "type" to "session.type"; an empty path stays out.
std::string at_field(const std::string& path, std::string_view field);

/// Refuses fields of an object that are not listed.
std::optional<realtime_fault> only_known(const nlohmann::json& body,
                                         std::initializer_list<std::string_view> known,
                                         const std::string& path);

/// A required string.
std::optional<realtime_fault> read_text(const nlohmann::json& body, const char* field,
                                        const std::string& path, std::string& out);

/// A string out of a list.
std::optional<realtime_fault> one_of(const nlohmann::json& value,
                                     std::initializer_list<std::string_view> known,
                                     const std::string& param);

/// An integer within bounds.
std::optional<realtime_fault> integer_within(const nlohmann::json& value, std::int64_t min,
                                             std::int64_t max, const std::string& param);

std::optional<realtime_fault> number_within(const nlohmann::json& value, double min, double max,
                                            const std::string& param);

} // namespace sidevoice
