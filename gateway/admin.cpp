#include "gateway/admin.hpp"

#include "gateway/origin.hpp"

#include <nlohmann/json.hpp>
#include <prometheus/text_serializer.h>
#include <sodium.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

namespace sidevoice {

namespace {

constexpr std::chrono::seconds tree_deadline{5};

prometheus::MetricFamily family(std::string name, std::string help, prometheus::MetricType type,
                                double value) {
  prometheus::ClientMetric metric;
  if (type == prometheus::MetricType::Counter)
    metric.counter.value = value;
  else
    metric.gauge.value = value;
  return {std::move(name), std::move(help), type, {std::move(metric)}};
}

prometheus::ClientMetric metric_of(const histogram_value& one) {
  prometheus::ClientMetric metric;
  if (!one.part.empty())
    metric.label = {{"part", one.part}};
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < one.counts.size(); ++i) {
    sum += one.counts[i];
    const auto bound = i < one.bounds.size() ? one.bounds[i]
                                             : std::numeric_limits<double>::infinity();
    metric.histogram.bucket.push_back({sum, bound});
  }
  metric.histogram.sample_count = sum;
  metric.histogram.sample_sum = one.sum;
  return metric;
}

http_response not_found() {
  return to_response(
    {404, "not_found", "There is nothing at this path. Try /metrics, /debug/tree or /healthz."});
}

http_response method_not_allowed() {
  auto response =
    to_response({405, "method_not_allowed", "This path knows only these methods: GET, HEAD."});
  response.fields.push_back({"Allow", "GET, HEAD"});
  return response;
}

} // namespace

std::string metrics_text(const counters& count, const std::vector<gauge_value>& gauges,
                         const std::vector<histogram_value>& histograms) {
  std::vector<prometheus::MetricFamily> families;
#define COUNTER(name, help)                                                                     \
  families.push_back(family("sidevoice_" #name "_total", help, prometheus::MetricType::Counter, \
                            static_cast<double>(count.value(counter::name))));
#include "config/counters.def"
#undef COUNTER
  for (const auto& gauge : gauges) {
    auto one = family(gauge.name, gauge.help,
                      gauge.counts ? prometheus::MetricType::Counter
                                   : prometheus::MetricType::Gauge,
                      gauge.value);
    for (const auto& [label, value] : gauge.labels)
      one.metric.front().label.push_back({label, value});
    if (families.back().name == one.name)
      families.back().metric.push_back(std::move(one.metric.front()));
    else
      families.push_back(std::move(one));
  }
  for (const auto& one : histograms) {
    if (families.back().name != one.name)
      families.push_back({one.name, one.help, prometheus::MetricType::Histogram, {}});
    families.back().metric.push_back(metric_of(one));
  }
  std::ostringstream out;
  prometheus::TextSerializer{}.Serialize(out, families);
  return std::move(out).str();
}

process_figures read_process_figures() {
  process_figures figures;
  std::ifstream statm{"/proc/self/statm"};
  std::uint64_t pages_all = 0;
  std::uint64_t pages = 0;
  if (statm >> pages_all >> pages)
    figures.resident_bytes = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  std::error_code ec;
  for (std::filesystem::directory_iterator at{"/proc/self/fd", ec}, end; !ec && at != end;
       at.increment(ec))
    ++figures.descriptors;
  return figures;
}

std::string tree_json(const tree_report& report) {
  auto entries = nlohmann::json::array();
  for (const auto& entry : report.entries)
    entries.push_back({{"name", entry.name},
                       {"session", entry.session},
                       {"restarts", entry.restarts},
                       {"crashes", entry.crashes},
                       {"crashes_max", entry.crashes_max},
                       {"waiting", entry.waiting},
                       {"queue_age_us", entry.queue_age ? nlohmann::json(entry.queue_age->count())
                                                        : nlohmann::json()},
                       {"last_reason", entry.last_reason}});
  return nlohmann::json{{"entries", std::move(entries)}}.dump(
    -1, ' ', false, nlohmann::json::error_handler_t::replace);
}

admin_site::admin_site(admin_parts parts)
    : parts_(std::move(parts)),
      started_(parts_.node.where->now()) {
  for (const auto& key : parts_.keys)
    keys_.push_back(digest_of_key(key));
  parts_.keys.clear();
}

/// The same for a path that there is and one that there is not.
std::optional<http_response> admin_site::refuse(const http_request& request) {
  if (keys_.empty())
    return std::nullopt;
  const std::lock_guard lock{throttle_mutex_};
  const auto now = parts_.node.where->now();
  if (const auto wait = throttle_.wait(request.remote, now); wait.count() > 0)
    return refuse_limit("rate_limit_exceeded",
                        "Too many wrong keys came from this address. Try again later.", wait);
  const auto given = read_credential(request).value_or(std::string{});
  const auto digest = digest_of_key(given);
  bool known = false;
  for (const auto& key : keys_) // all of them: how long it takes says nothing
    known = ::sodium_memcmp(key.data(), digest.data(), digest.size()) == 0 || known;
  if (known && !given.empty())
    return std::nullopt;
  if (!given.empty())
    throttle_.failed(request.remote, now);
  auto response = to_response({401, "invalid_api_key",
                               "The admin port needs one of the server's admin keys as "
                               "`Authorization: Bearer KEY`."});
  response.fields.push_back({"WWW-Authenticate", "Bearer"});
  return response;
}

site_answer admin_site::handle(const http_request& request) {
  // Without this, a page elsewhere could have its own name resolve to this machine and read along.
  if (!parts_.any_host && !is_loopback_host(*request.find("Host")))
    return to_response({403, "host_not_allowed", "Ask under the name localhost or 127.0.0.1."});
  if (auto refused = refuse(request))
    return std::move(*refused);
  const auto known = request.path == "/metrics" || request.path == "/debug/tree"
                     || request.path == "/healthz";
  if (request.method == "TRACE" || request.method == "CONNECT")
    return method_not_allowed();
  if (!known)
    return not_found();
  if (request.method != "GET" && request.method != "HEAD")
    return method_not_allowed();
  if (request.path == "/metrics")
    return metrics();
  if (request.path == "/debug/tree")
    return tree();
  return json_response(200, R"({"status":"ok"})");
}

http_response admin_site::metrics() const {
  const auto process = read_process_figures();
  const std::chrono::duration<double> uptime = parts_.node.where->now() - started_;
  std::vector<gauge_value> gauges = {
    {"sidevoice_sockets_open", "Sockets open on the public port",
     static_cast<double>(parts_.sockets())},
    {"sidevoice_actors_running", "Actors alive in this process",
     static_cast<double>(parts_.node.sys->registry().running())},
    {"process_resident_memory_bytes", "Memory in RAM", static_cast<double>(process.resident_bytes)},
    {"process_open_fds", "Open file descriptors", static_cast<double>(process.descriptors)},
    {"sidevoice_uptime_seconds", "Since the server started", uptime.count()}};
  if (parts_.gauges)
    for (auto& one : parts_.gauges())
      gauges.push_back(std::move(one));
  if (parts_.sessions)
    gauges.push_back({"sidevoice_sessions", "Sessions with running actors",
                      static_cast<double>(parts_.sessions())});
  return {.status = 200,
          .fields = {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"},
                     {"X-Content-Type-Options", "nosniff"},
                     {"Cache-Control", "no-store"}},
          .body = metrics_text(*parts_.node.count, gauges,
                               parts_.histograms ? parts_.histograms()
                                                 : std::vector<histogram_value>{})};
}

http_later admin_site::tree() const {
  return {[node = parts_.node](std::function<void(http_response)> done) {
    node.sys->spawn(
      [directory = node.directory, done = std::move(done)](caf::event_based_actor* self) {
        self->request(directory, tree_deadline, tree_atom::value)
          .then([done](const tree_report& report) { done(json_response(200, tree_json(report))); },
                [done](const caf::error&) {
                  done(to_response({503, "unavailable", "The directory gave no answer in time."}));
                });
      });
  }};
}

} // namespace sidevoice
