#pragma once

#include "config/ids.hpp"
#include "config/loop.hpp"
#include "providers/span.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace sidevoice {

class tracer;

/// A span that has not ended. One that is destroyed before its end leaves nothing behind. Empty
/// where nobody traces: then all of it does nothing. Belongs to one thread at a time.
class live_span {
public:
  live_span() = default;
  live_span(live_span&& other) noexcept;
  live_span& operator=(live_span&& other) noexcept;
  live_span(const live_span&) = delete;
  live_span& operator=(const live_span&) = delete;
  ~live_span() = default;

  [[nodiscard]] explicit operator bool() const {
    return owner_ != nullptr;
  }
  /// What goes along with requests that belong to it; empty for an empty span.
  [[nodiscard]] std::string traceparent() const;

  void set(std::string key, span_attribute::value_type value);
  void event(std::string name);
  /// Milliseconds since its begin.
  [[nodiscard]] std::int64_t age_ms() const;
  /// Ends it, and empties this. `failure` is a stable word.
  void end(std::string failure = {});
  /// Empties this; nothing is kept of it.
  void forget() {
    owner_ = nullptr;
  }

private:
  friend class tracer;

  tracer* owner_ = nullptr;
  span_record record_;
  loop::clock::time_point begun_;
};

/// Makes spans, and hands those that are kept to their sink. Knows time and ids by what it is
/// given; holds no spans itself. Any thread.
class tracer {
public:
  tracer(loop& where, id_source& ids, span_sink& to, trace_sampler sampler)
      : where_(where),
        ids_(ids),
        to_(to),
        sampler_(sampler) {}

  /// The span `span` of the trace `trace`; equal names give equal ids, in any process.
  [[nodiscard]] trace_context named(std::string_view trace, std::string_view span) const;

  /// A span with these ids, below the span with the id `parent` (empty: none) of the same trace.
  [[nodiscard]] live_span begin_as(trace_context self, std::string parent, std::string name,
                                   span_kind kind);

  /// A span with a fresh id below the one that `traceparent` names; where it names none, the begin
  /// of a trace.
  [[nodiscard]] live_span begin(const std::string& traceparent, std::string name, span_kind kind);

  /// The span began that long ago; not more than a minute is believed.
  static void backdate(live_span& span, std::chrono::nanoseconds by);

  /// The same, by the time of day in milliseconds since 1970.
  static void backdate_to(live_span& span, std::int64_t at_ms);

private:
  friend class live_span;

  [[nodiscard]] std::int64_t wall_ns() const;
  void end(live_span& span);

  loop& where_;
  id_source& ids_;
  span_sink& to_;
  trace_sampler sampler_;
};

} // namespace sidevoice
