#include "gateway/admission.hpp"

#include <algorithm>
#include <utility>

namespace sidevoice {

namespace {

/// In shares of a limit.
constexpr double limit = 1.0;
constexpr double far_over = 2.0;
/// The level falls below this, and the rate grows below the second.
constexpr double well_below = 0.85;
constexpr double roomy = 0.7;

/// Samples in a row. One late timer is bad luck, three are a queue.
constexpr std::size_t samples_to_rise = 3;
constexpr std::size_t samples_to_fall = 10;

constexpr double rate_min = 0.1;
constexpr double rate_max = 5'000;
/// Of the first rate, by which it grows with each sample.
constexpr double rate_step = 0.1;
/// What a session costs, of a core, and how many measured ones outweigh that guess.
constexpr double cost_guess = 0.0025;
constexpr double guess_weight = 20;
/// How much of a lower estimate is believed with each sample: two thirds of it after ten seconds.
constexpr double cheaper_step = 0.01;
constexpr double burst_min = 8;
/// Of a second: what may come between two samples.
constexpr double burst_share = 0.1;

constexpr std::chrono::milliseconds pause_shed{3'000};
constexpr std::chrono::milliseconds pause_ramp{1'000};
constexpr std::chrono::milliseconds pause_max{30'000};
/// To refuse costs a part of a millisecond: so many a second and core may ask again, and cost those
/// who are in a hundredth of it.
constexpr double asks_a_core = 60;

template <class Duration>
double share(Duration part, std::chrono::milliseconds whole) {
  return std::chrono::duration<double>(part) / std::chrono::duration<double>(whole);
}

} // namespace

std::string_view to_string(shedding level) {
  switch (level) {
    case shedding::nothing:
      return "nothing";
    case shedding::strangers:
      return "strangers";
    case shedding::newcomers:
      return "newcomers";
  }
  return "nothing";
}

admission::admission(admission_limits limits) : limits_(limits), rate_(limits.start_rate) {
  tokens_ = burst();
  cost_ = cost_guess / limits_.cores;
}

bool admission::take(const load_sample& sample) {
  const auto before = level_;
  refused_.turn();
  count_sessions(sample.sessions);
  measure(sample);
  judge_level();
  judge_rate(sample);
  return level_ != before;
}

void admission::count_sessions(std::size_t sessions) {
  begun_.turn();
  begun_.add(sessions > sessions_ ? sessions - sessions_ : 0);
  sessions_ = sessions;
}

void admission::measure(const load_sample& sample) {
  cpu_[next_cpu_] = sample.cpu;
  next_cpu_ = (next_cpu_ + 1) % many;
  // Without sessions the processor is busy with something else.
  const auto measured = sample.sessions > 0 ? mean_cpu(many) : 0.0;
  const auto estimate = (guess_weight * cost_guess / limits_.cores + measured)
                        / (guess_weight + static_cast<double>(sample.sessions));
  // A crowd that has just come makes a session look cheap.
  cost_ = std::max(estimate, cost_ + (estimate - cost_) * cheaper_step);
  // Whoever is held back in every period uses up its share, wherever the quota stands.
  const auto held = sample.throttled / 0.95;
  busy_ = std::max(mean_cpu(many) / limits_.cpu_share, held);
  busy_now_ = std::max(mean_cpu(few) / limits_.cpu_share, held);
  const std::pair<std::string_view, double> parts[] = {
    {"loop", share(sample.loop_delay, limits_.target_delay)},
    {"actors", share(sample.actor_delay, limits_.target_delay)},
    {"store", share(sample.store_delay, limits_.store_delay)},
    {"memory", sample.memory / limits_.memory_share},
    {"descriptors", sample.descriptors / limits_.descriptors_share}};
  const auto* worst =
    std::max_element(std::begin(parts), std::end(parts),
                     [](const auto& a, const auto& b) { return a.second < b.second; });
  strain_ = worst->second;
  tightest_ = busy_ > strain_ ? "cpu" : worst->first;
}

/// Samples that have not been taken yet count as idle: a start is busy and no overload.
double admission::mean_cpu(std::size_t samples) const {
  double sum = 0;
  for (std::size_t i = 1; i <= samples; ++i)
    sum += cpu_[(next_cpu_ + many - i) % many];
  return sum / static_cast<double>(samples);
}

void admission::judge_level() {
  late_ = strain_ >= limit ? late_ + 1 : 0;
  over_ = std::max(strain_, busy_) >= limit ? over_ + 1 : 0;
  calm_ = std::max(strain_, busy_) < well_below ? calm_ + 1 : 0;
  if (late_ >= samples_to_rise && strain_ >= far_over) {
    level_ = shedding::newcomers;
  } else if (over_ >= samples_to_rise && level_ == shedding::nothing) {
    level_ = shedding::strangers;
    late_ = 0;
  } else if (late_ >= samples_to_rise && level_ == shedding::strangers) {
    // A busy processor alone is none of the visitors' business as long as nobody waits for it: it
    // only slows the ramp.
    level_ = shedding::newcomers;
  } else if (calm_ >= samples_to_fall && level_ != shedding::nothing) {
    level_ = level_ == shedding::newcomers ? shedding::strangers : shedding::nothing;
    calm_ = 0;
  }
}

void admission::judge_rate(const load_sample& sample) {
  refill(sample.at);
  const auto now = std::max(strain_, busy_now_);
  pressed_ = now >= limit;
  if (pressed_) {
    rate_ = std::max(rate_min, rate_ / 2);
    tokens_ = std::min(tokens_, burst());
  } else if (now < roomy && starved_) {
    rate_ = std::min(rate_max, rate_ + limits_.start_rate * rate_step);
  } else if (now < well_below && !starved_) {
    // What was measured under a demand that is over says less with each moment.
    rate_ += (limits_.start_rate - rate_) * 0.02;
  }
  starved_ = false;
}

double admission::burst() const {
  return pressed_ ? 1.0 : std::max(burst_min, rate_ * burst_share);
}

void admission::refill(rate_time now) {
  if (now > refilled_at_) {
    const std::chrono::duration<double> passed = now - refilled_at_;
    tokens_ = std::min(burst(), tokens_ + passed.count() * rate_);
  }
  refilled_at_ = std::max(refilled_at_, now);
}

std::chrono::milliseconds admission::admit(newcomer who, rate_time now, std::size_t sessions) {
  if (!limits_.enabled)
    return {};
  if (level_ == shedding::newcomers || (level_ == shedding::strangers && who == newcomer::stranger))
    return refuse(pause_shed);
  refill(now);
  starved_ = starved_ || tokens_ < 1.0;
  if (tokens_ < 1.0 || room(sessions) < 1.0)
    return refuse(pause_ramp);
  tokens_ -= 1.0;
  return {};
}

/// The more are refused, the later they are told to come again: a crowd that asks every second
/// costs as much as the sessions that it cannot have.
std::chrono::milliseconds admission::refuse(std::chrono::milliseconds pause) {
  refused_.add();
  const std::chrono::duration<double> spread{refused_.sum() / (asks_a_core * limits_.cores)};
  return std::clamp(std::chrono::duration_cast<std::chrono::milliseconds>(spread), pause,
                    pause_max);
}

/// By sessions, and not by who was let in: most of those may be back at a session that runs.
double admission::room(std::size_t sessions) const {
  const auto left = limits_.cpu_share * well_below - mean_cpu(many);
  const auto newest = sessions > sessions_ ? sessions - sessions_ : 0;
  return left / cost_ - begun_.sum() - static_cast<double>(newest);
}

double admission::headroom() const {
  return std::clamp(limit - std::max(strain_, busy_), 0.0, 1.0);
}

} // namespace sidevoice
