#pragma once

#include "config/app_file.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace sidevoice {

/// Where traces go, as OpenTelemetry's environment variables have it.
struct trace_settings {
  /// Empty: nothing is traced. Else the whole address, such as "http://localhost:4318/v1/traces".
  std::string url;
  /// Header fields for the collector. Secrets: never printed.
  std::vector<std::pair<std::string, std::string>> fields;
  /// Attributes of this process; always with "service.name".
  std::vector<std::pair<std::string, std::string>> resource;
  /// Part of the traces that are kept, 0 to 1.
  double ratio = 1.0;
  /// Spans that may wait; the oldest go beyond it.
  std::size_t queue_max = 2048;
  std::size_t batch_max = 512;
  /// Spans wait so long for others, to go together.
  std::chrono::milliseconds delay{5'000};
  /// One request to the collector.
  std::chrono::milliseconds deadline{10'000};
};

struct trace_load {
  trace_settings settings;
  /// Sentences about values that were not taken, each with its variable and the remedy.
  std::vector<std::string> faults;
};

/// Reads OTEL_EXPORTER_OTLP_ENDPOINT, _HEADERS, _TIMEOUT and _PROTOCOL (and each with TRACES_
/// before its last word, which wins), OTEL_TRACES_EXPORTER, OTEL_SERVICE_NAME,
/// OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER and _ARG, OTEL_BSP_MAX_QUEUE_SIZE,
/// OTEL_BSP_MAX_EXPORT_BATCH_SIZE, OTEL_BSP_SCHEDULE_DELAY, OTEL_BSP_EXPORT_TIMEOUT and
/// OTEL_SDK_DISABLED. Traces are on where an endpoint is set, or OTEL_TRACES_EXPORTER says otlp. A
/// value that cannot be meant leaves the default, and a fault; an endpoint or a protocol that
/// cannot be used turns traces off.
trace_load read_trace_settings(const environment& env = process_environment());

} // namespace sidevoice
