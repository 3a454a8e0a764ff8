#include "cluster/supervision_metrics.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace sidevoice;

TEST_CASE("metrics show what supervisors see, by actor and reason") {
  using namespace std::chrono_literals;
  supervision_figures figures{{"session", "analyzer"}};
  const supervision_figures::time_point start{100s};
  figures.restarted("analyzer", end_reason::threw);
  figures.restarted("analyzer", end_reason::threw);
  figures.restarted("invented", end_reason::quit);
  figures.seat_given_up();
  figures.answered(start, 30us, 2);
  figures.answered(start + 1s, 1500us, 7);
  figures.answered(start + 2s, 9s, 0);
  const auto text = metrics_text(counters{}, supervision_gauges(figures.read(start + 3s)),
                                 {queue_age_series(figures.read(start + 3s))});
  const auto has = [&text](const std::string& line) {
    return text.find("\n" + line + "\n") != std::string::npos;
  };
  CHECK(has("# TYPE sidevoice_restarts_total counter"));
  CHECK(has(R"(sidevoice_restarts_total{actor="analyzer",reason="threw"} 2)"));
  CHECK(has(R"(sidevoice_restarts_total{actor="session",reason="deadline"} 0)"));
  CHECK(has(R"(sidevoice_restarts_total{actor="other",reason="quit"} 1)"));
  CHECK(has(R"(sidevoice_intensity_reached_total{what="seat"} 1)"));
  CHECK(has(R"(sidevoice_intensity_reached_total{what="session"} 0)"));
  CHECK(has("sidevoice_queue_age_max_seconds 9"));
  CHECK(has("sidevoice_mailbox_max 7"));
  CHECK(has(R"(sidevoice_queue_age_seconds_bucket{le="0.002"} 2)"));
  CHECK(has("sidevoice_queue_age_seconds_count 3"));
  // Each family has one head.
  const auto head = text.find("# TYPE sidevoice_restarts_total");
  CHECK(text.find("# TYPE sidevoice_restarts_total", head + 1) == std::string::npos);
  // What is long past is no maximum any more.
  CHECK(figures.read(start + 12s).age_max == 9s);
  CHECK(figures.read(start + 40s).age_max == 0s);
}
