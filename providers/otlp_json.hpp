#pragma once

#include "config/app.hpp"
#include "providers/span.hpp"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

/// OTLP 1.x in its JSON encoding: ids in hexadecimal, 64-bit numbers as texts, enums as numbers.
namespace sidevoice {

/// The body of a POST to /v1/traces.
json_text make_otlp_request(const std::vector<span_record>& spans,
                            const std::vector<std::pair<std::string, std::string>>& resource);

/// How many spans the collector has refused of a request that it has taken, by its answer's body;
/// 0 for a body that does not say so.
std::size_t rejected_spans(std::string_view body);

} // namespace sidevoice
