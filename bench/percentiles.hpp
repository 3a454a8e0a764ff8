#pragma once

#include <nlohmann/json_fwd.hpp>

#include <vector>

/// {"n", "p50", "p95", "p99", "max"} of the values, in their unit; null where there are none. Sorts
/// them.
nlohmann::json percentiles(std::vector<double>& values);
