#include "actors/checklist_draft.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace sidevoice {

using nlohmann::json;

namespace {

json parse(const json_text& text) {
  return json::parse(text, nullptr, /*allow_exceptions=*/false);
}

/// The number that bounds are compared with: the value itself, or the amount of money.
std::optional<double> number_of(const json& value) {
  if (value.is_number())
    return value.get<double>();
  if (const auto amount = value.is_object() ? value.find("amount") : value.end();
      value.is_object() && amount != value.end() && amount->is_number())
    return amount->get<double>();
  return std::nullopt;
}

bool is_any_of(const json& value, const std::vector<json_text>& texts) {
  return std::any_of(texts.begin(), texts.end(), [&](const json_text& text) {
    const auto wanted = parse(text);
    // A list meets the condition by any of its elements.
    return value == wanted
           || (value.is_array() && std::find(value.begin(), value.end(), wanted) != value.end());
  });
}

bool is_met(const topic_condition& condition, const json_text& text) {
  const auto value = parse(text);
  if (value.is_discarded() || value.is_null())
    return false;
  if (!condition.any_of.empty() && !is_any_of(value, condition.any_of))
    return false;
  if (!condition.min && !condition.max)
    return true;
  const auto number = number_of(value);
  return number && (!condition.min || *number >= *condition.min)
         && (!condition.max || *number <= *condition.max);
}

} // namespace

bool same_json(const json_text& a, const json_text& b) {
  if (a == b)
    return true;
  const auto left = parse(a);
  return !left.is_discarded() && left == parse(b);
}

bool is_rule_skipped(const topic_state& state) {
  return state.status == topic_status::skipped && state.by == topic_author::rule;
}

topic_state without_rule(topic_state state) {
  if (is_rule_skipped(state))
    state.status = std::exchange(state.resumes, topic_status::open);
  return state;
}

std::set<std::string> applicable_topics(const app_definition& app, const session_view& view) {
  // Start with all and take away: conditions only ever ask for a value, so taking one topic away
  // can make no other one applicable, and the end does not depend on the order.
  std::set<std::string> applicable;
  for (const auto& topic : app.topics)
    applicable.insert(topic.id);
  const auto holds = [&](const topic_condition& condition) {
    if (!applicable.contains(condition.topic))
      return false;
    const auto state = without_rule(view.topic(condition.topic));
    return state.status != topic_status::skipped && is_met(condition, state.value);
  };
  for (bool changed = true; changed;) {
    changed = false;
    for (const auto& topic : app.topics)
      if (!std::all_of(topic.when.begin(), topic.when.end(), holds))
        changed = applicable.erase(topic.id) > 0 || changed;
  }
  return applicable;
}

checklist_draft::checklist_draft(const app_definition& app, const session_view& view)
    : app_(app),
      before_(view) {
  after_.about = view.about;
  after_.head = view.head;
  after_.topics = view.topics;
  after_.revision = view.revision;
  after_.completed = view.completed;
}

void checklist_draft::put(topic_updated change) {
  change.revision = after_.revision + 1;
  record(std::move(change));
}

checklist_changes checklist_draft::finish() && {
  settle();
  report_completion();
  return std::move(changes_);
}

void checklist_draft::settle() {
  const auto applicable = applicable_topics(app_, after_);
  for (const auto& topic : app_.topics) {
    if (topic.when.empty())
      continue;
    const auto state = after_.topic(topic.id);
    const bool is_wanted = applicable.contains(topic.id);
    topic_updated change;
    change.topic = topic.id;
    change.value = state.value;
    change.evidence = state.evidence;
    change.by = topic_author::rule;
    change.head_read = before_.head;
    if (is_wanted && is_rule_skipped(state)) {
      change.status = state.resumes;
      put(std::move(change));
    } else if (!is_wanted && state.status != topic_status::skipped) {
      change.status = topic_status::skipped;
      change.resumes = state.status;
      put(std::move(change));
    }
  }
}

void checklist_draft::report_completion() {
  const bool was_complete = before_.completed.has_value();
  const bool is_now = is_complete(app_, after_);
  const bool differs = was_complete && !same_json(before_.result(), after_.result());
  if (was_complete && (!is_now || differs))
    record(session_reopened{.revision = after_.revision});
  if (is_now && (!was_complete || differs))
    record(session_completed{.revision = after_.revision, .result = after_.result()});
}

void checklist_draft::record(event_body body) {
  // The fold is the only way from events to state, here too.
  const event next{.seq = after_.head + 1, .at = 0, .body = body};
  if (const auto applied = apply(after_, next); !applied)
    throw std::logic_error("a checklist change does not fit its own state");
  changes_.events.push_back(std::move(body));
}

} // namespace sidevoice
