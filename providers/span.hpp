#pragma once

#include "config/trace_context.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

/// Spans as they leave the process: what was done, from when to when, below which other span.
namespace sidevoice {

/// Names are OpenTelemetry's where it has one, else begin with "sidevoice.". Values are ids,
/// numbers and words of our own, never what people or models said.
struct span_attribute {
  using value_type =
    std::variant<std::string, std::int64_t, double, bool, std::vector<std::string>>;

  std::string key;
  value_type value;

  bool operator==(const span_attribute&) const = default;
};

struct span_event {
  std::string name;
  /// Nanoseconds since 1970, as all times of spans.
  std::int64_t at_ns = 0;
};

/// The numbers are OTLP's.
enum class span_kind { internal = 1, server = 2, client = 3 };

struct span_record {
  trace_context self;
  /// Id of the span above; empty: the trace begins here.
  std::string parent;
  std::string name;
  span_kind kind = span_kind::internal;
  std::int64_t start_ns = 0;
  std::int64_t end_ns = 0;
  std::vector<span_attribute> attributes;
  std::vector<span_event> events;
  /// Why it failed, as a stable word; empty: it did not.
  std::string failure;
};

/// Takes spans that have ended.
class span_sink {
public:
  virtual ~span_sink() = default;

  /// Any thread; never blocks.
  virtual void take(span_record span) = 0;
};

} // namespace sidevoice
