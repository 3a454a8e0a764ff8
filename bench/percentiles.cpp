#include "bench/percentiles.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

nlohmann::json percentiles(std::vector<double>& values) {
  if (values.empty())
    return nullptr;
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
  };
  return {{"n", values.size()},
          {"p50", at(0.5)},
          {"p95", at(0.95)},
          {"p99", at(0.99)},
          {"max", values.back()}};
}
