#include "cluster/supervision_metrics.hpp"

namespace sidevoice {

namespace {

double seconds(std::chrono::microseconds time) {
  return std::chrono::duration<double>{time}.count();
}

} // namespace

std::vector<gauge_value> supervision_gauges(const supervision_figures::reading& seen) {
  std::vector<gauge_value> out;
  for (const auto& one : seen.restarts)
    out.push_back({.name = "sidevoice_restarts_total",
                   .help = "Restarts by actor and by why it had ended",
                   .value = static_cast<double>(one.count),
                   .labels = {{"actor", one.actor}, {"reason", one.reason}},
                   .counts = true});
  for (const auto& [what, count] :
       {std::pair{"session", seen.sessions_given_up}, std::pair{"seat", seen.seats_given_up}})
    out.push_back({.name = "sidevoice_intensity_reached_total",
                   .help = "Sessions and voice seats whose actors crashed too often",
                   .value = static_cast<double>(count),
                   .labels = {{"what", what}},
                   .counts = true});
  out.push_back({.name = "sidevoice_queue_age_max_seconds",
                 .help = "Longest wait in an actor's mailbox that was seen in the last 10 to 20 s",
                 .value = seconds(seen.age_max)});
  out.push_back(
    {.name = "sidevoice_mailbox_max",
     .help = "Most messages in an actor's mailbox that were seen in the last 10 to 20 s",
     .value = static_cast<double>(seen.waiting_max)});
  return out;
}

histogram_value queue_age_series(const supervision_figures::reading& seen) {
  histogram_value out{.name = "sidevoice_queue_age_seconds",
                      .help = "How long a supervisor's question waited for its answer",
                      .counts = {seen.ages.begin(), seen.ages.end()},
                      .sum = seconds(seen.age_sum)};
  for (const auto bound : supervision_figures::bounds)
    out.bounds.push_back(seconds(std::chrono::microseconds{bound}));
  return out;
}

} // namespace sidevoice
