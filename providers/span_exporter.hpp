#pragma once

#include "config/counters.hpp"
#include "config/ids.hpp"
#include "config/loop.hpp"
#include "config/trace_settings.hpp"
#include "providers/http.hpp"
#include "providers/span.hpp"

#include <functional>
#include <memory>

namespace sidevoice {

/// Sends spans to a collector in batches: OTLP over HTTP, JSON. Bounded: a collector that is slow
/// or gone costs spans (counted as spans_dropped), never a turn.
class span_exporter : public span_sink {
public:
  /// Sends what waits, without waiting for a collector that does not answer at once, then calls
  /// `done` on the loop. Any thread.
  virtual void flush(std::function<void()> done) = 0;
};

/// Loop, client and counters must outlive it; destroy it on the loop's thread, or when the loop has
/// stopped.
std::unique_ptr<span_exporter> make_span_exporter(loop& where, http_client& http, counters& count,
                                                  id_source& ids, trace_settings how);

} // namespace sidevoice
