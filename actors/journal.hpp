#pragma once

#include "persistence/store.hpp"

#include <optional>
#include <string>
#include <vector>

namespace sidevoice {

/// One owner's end of a session's journal: what is durable, what has been decided on top of it, and
/// which append carries the difference. The fold runs ahead: an event counts for every check as
/// soon as it is pushed, and leaves the session once it is committed. One append is under way at a
/// time; what is pushed meanwhile goes with the next. Plain: no store, no clock.
class journal {
public:
  journal(session_key key, std::uint64_t epoch, view_ptr durable);

  /// The state that every check uses.
  [[nodiscard]] const view_ptr& ahead() const {
    return ahead_;
  }

  /// The state up to the durable head.
  [[nodiscard]] const view_ptr& durable() const {
    return durable_;
  }

  /// Nothing is queued or under way.
  [[nodiscard]] bool idle() const {
    return queued_.empty() && in_flight_.empty();
  }

  /// Numbers the events, folds them and queues them. Returns the number of the last one.
  std::uint64_t push(std::vector<event_body> bodies, std::int64_t at);

  /// The append to hand to the store now; nothing while one is under way or nothing is queued.
  std::optional<append_events> begin(std::string append_id);

  /// The append that is under way, to read it back or to repeat it after an unknown outcome.
  [[nodiscard]] const append_events& under_way() const {
    return append_;
  }

  /// The append under way is durable. Returns its events, to be published.
  std::vector<event_ptr> committed();

  /// The store refused: forgets what is under way and what is queued; the fold is the durable one
  /// again.
  void refused();

private:
  session_key key_;
  std::uint64_t epoch_;
  view_ptr durable_;
  view_ptr ahead_;
  std::vector<event_ptr> queued_;
  std::vector<event_ptr> in_flight_;
  append_events append_;
};

/// What the models behind an event have cost, in millionths of a euro.
std::uint64_t cost_of(const event_body& body);

} // namespace sidevoice
