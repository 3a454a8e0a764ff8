#include "actors/supervision_figures.hpp"

#include <algorithm>
#include <utility>

namespace sidevoice {

namespace {

constexpr std::chrono::seconds page_length{10};

constexpr std::array<const char*, end_reasons> reason_names = {"threw", "quit", "deadline", "link",
                                                               "other"};

} // namespace

const char* to_string(end_reason why) {
  return reason_names.at(static_cast<std::size_t>(why));
}

supervision_figures::supervision_figures(std::vector<std::string> names, fault_hands hands)
    : names_{std::move(names)},
      hands_{std::move(hands)},
      restarts_(names_.size() + 1) {}

void supervision_figures::restarted(std::string_view actor, end_reason why) {
  const auto known = std::find(names_.begin(), names_.end(), actor) - names_.begin();
  const std::lock_guard lock{mutex_};
  ++restarts_[static_cast<std::size_t>(known)][static_cast<std::size_t>(why)];
}

void supervision_figures::session_given_up() {
  const std::lock_guard lock{mutex_};
  ++sessions_;
}

void supervision_figures::seat_given_up() {
  const std::lock_guard lock{mutex_};
  ++seats_;
}

void supervision_figures::answered(time_point now, std::chrono::microseconds age,
                                   std::uint64_t waiting) {
  const std::lock_guard lock{mutex_};
  const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), age.count()) - bounds.begin();
  ++ages_[static_cast<std::size_t>(bucket)];
  age_sum_ += age;
  note(now, {age, waiting});
}

void supervision_figures::silent(time_point now, std::chrono::microseconds age) {
  const std::lock_guard lock{mutex_};
  note(now, {age, 0});
}

void supervision_figures::note(time_point now, peak seen) {
  turn_page(now);
  now_.age = std::max(now_.age, seen.age);
  now_.waiting = std::max(now_.waiting, seen.waiting);
}

void supervision_figures::turn_page(time_point now) const {
  if (now - page_ < page_length)
    return;
  before_ = now - page_ < 2 * page_length ? now_ : peak{};
  now_ = {};
  page_ = now;
}

supervision_figures::reading supervision_figures::read(time_point now) const {
  const std::lock_guard lock{mutex_};
  turn_page(now);
  reading out;
  for (std::size_t actor = 0; actor < restarts_.size(); ++actor)
    for (std::size_t why = 0; why < end_reasons; ++why)
      out.restarts.push_back({actor < names_.size() ? names_[actor] : "other", reason_names.at(why),
                              restarts_[actor].at(why)});
  out.sessions_given_up = sessions_;
  out.seats_given_up = seats_;
  out.ages = ages_;
  out.age_sum = age_sum_;
  out.age_max = std::max(now_.age, before_.age);
  out.waiting_max = std::max(now_.waiting, before_.waiting);
  return out;
}

} // namespace sidevoice
