#pragma once

#include "gateway/server_key.hpp"
#include "gateway/site.hpp"
#include "gateway/throttle.hpp"
#include "gateway/upgrade.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sidevoice {

/// One series of a histogram: counts within each bound, and one more for what is larger.
struct histogram_value {
  std::string name;
  std::string help;
  /// Value of its one label, `part`; empty: none.
  std::string part = {};
  std::vector<double> bounds;
  std::vector<std::uint64_t> counts;
  double sum = 0;
};

/// A measured value for /metrics. Values of one name stand together.
struct gauge_value {
  std::string name;
  std::string help;
  double value = 0;
  std::vector<std::pair<std::string, std::string>> labels = {};
  /// It only grows: a counter.
  bool counts = false;
};

/// Counters and gauges in Prometheus' text format, each counter as sidevoice_NAME_total.
std::string metrics_text(const counters& count, const std::vector<gauge_value>& gauges,
                         const std::vector<histogram_value>& histograms = {});

/// Memory in RAM and open descriptors of this process, from /proc.
struct process_figures {
  std::uint64_t resident_bytes = 0;
  std::uint64_t descriptors = 0;
};
process_figures read_process_figures();

/// The supervision tree as JSON.
std::string tree_json(const tree_report& report);

struct admin_parts {
  node_access node;
  /// Sockets open on the public port.
  std::function<std::size_t()> sockets;
  /// Sessions with running actors; may be empty.
  std::function<std::size_t()> sessions;
  /// May be empty.
  std::function<std::vector<histogram_value>()> histograms = {};
  /// Beside those of the process; may be empty.
  std::function<std::vector<gauge_value>()> gauges = {};
  /// Takes requests under any host name, not only under loopback ones.
  bool any_host = false;
  /// With any, every request needs one of them as `Authorization: Bearer KEY`.
  std::vector<std::string> keys = {};
};

/// The admin port: /metrics, /debug/tree, /healthz. Never on the public one.
class admin_site final : public http_site {
public:
  explicit admin_site(admin_parts parts);

  site_answer handle(const http_request& request) override;

private:
  [[nodiscard]] std::optional<http_response> refuse(const http_request& request);
  [[nodiscard]] http_response metrics() const;
  [[nodiscard]] http_later tree() const;

  admin_parts parts_;
  std::vector<key_digest> keys_;
  std::mutex throttle_mutex_;
  failure_throttle throttle_{failure_throttle::options{}};
  loop::clock::time_point started_;
};

} // namespace sidevoice
