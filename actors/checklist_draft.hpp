#pragma once

#include "actors/checklist.hpp"

#include <set>
#include <string>

/// What the checklist's deciders share; internal to actors/checklist*.cpp.
namespace sidevoice {

/// True when both texts hold equal JSON values, or both are empty.
bool same_json(const json_text& a, const json_text& b);

/// True when a condition of the app skips the topic: it comes back by itself. One that an analysis
/// or a person skipped does not.
bool is_rule_skipped(const topic_state& state);

/// What the topic would be if no condition skipped it.
topic_state without_rule(topic_state state);

/// Ids of the topics whose conditions hold. A topic that is skipped, for whatever reason, counts as
/// one without a value, so that chains of conditions fall together.
std::set<std::string> applicable_topics(const app_definition& app, const session_view& view);

/// A change in the making: topics as they become, event by event. Pure.
class checklist_draft {
public:
  checklist_draft(const app_definition& app, const session_view& view);

  /// Adds the event and gives it the next revision.
  void put(topic_updated change);

  /// Adds what follows from the changes: topics that their conditions switch, each at most once,
  /// then what tells that the checklist is complete, or is no more.
  checklist_changes finish() &&;

private:
  void settle();
  void report_completion();
  void record(event_body body);

  const app_definition& app_;
  const session_view& before_;
  /// Holds of the session only what the checklist needs.
  session_view after_;
  checklist_changes changes_;
};

} // namespace sidevoice
