#include "actors/journal.hpp"

#include "actors/budget.hpp"
#include "persistence/append_rules.hpp"

#include <stdexcept>

namespace sidevoice {

namespace {

view_ptr fold_or_throw(const view_ptr& view, const std::vector<event_ptr>& events) {
  auto next = sidevoice::apply(view, events); // qualified: std::apply would be found, too
  if (!next)
    throw std::logic_error("an event of our own does not fold: " + next.error().detail);
  return std::move(next).value();
}

} // namespace

std::uint64_t cost_of(const event_body& body) {
  if (const auto* done = std::get_if<response_done>(&body))
    return done->usage.cost;
  const auto* analysis = std::get_if<analysis_done>(&body);
  return analysis == nullptr ? 0 : analysis->usage.cost;
}

journal::journal(session_key key, std::uint64_t epoch, view_ptr durable)
    : key_{std::move(key)},
      epoch_{epoch},
      durable_{durable},
      ahead_{std::move(durable)} {}

std::uint64_t journal::push(std::vector<event_body> bodies, std::int64_t at) {
  std::vector<event_ptr> fresh;
  auto seq = ahead_->head;
  for (auto& body : bodies)
    fresh.push_back(std::make_shared<const event>(event{++seq, at, std::move(body)}));
  ahead_ = fold_or_throw(ahead_, fresh);
  queued_.insert(queued_.end(), fresh.begin(), fresh.end());
  return seq;
}

std::optional<append_events> journal::begin(std::string append_id) {
  if (!in_flight_.empty() || queued_.empty())
    return std::nullopt;
  in_flight_.swap(queued_);
  std::uint64_t spent = 0;
  for (const auto& e : in_flight_)
    spent += cost_of(e->body);
  append_ = {.key = key_,
             .epoch = epoch_,
             .head = durable_->head,
             .append_id = std::move(append_id),
             .events = in_flight_,
             .status = row_status(*ahead_),
             .open_responses = open_work(*ahead_),
             .spent = spent,
             .day = spent == 0 ? 0 : day_of(in_flight_.back()->at)};
  return append_;
}

std::vector<event_ptr> journal::committed() {
  durable_ = queued_.empty() ? ahead_ : fold_or_throw(durable_, in_flight_);
  return std::exchange(in_flight_, {});
}

void journal::refused() {
  in_flight_.clear();
  queued_.clear();
  ahead_ = durable_;
}

} // namespace sidevoice
