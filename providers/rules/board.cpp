#include "providers/rules/board.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace sidevoice::rules {

using nlohmann::json;

board::board(const llm_request& request) {
  if (request.app == nullptr)
    return;
  for (const auto& declared : request.app->topics) {
    topic_now now;
    now.topic = &declared;
    for (const auto& b : request.board)
      if (b.topic != nullptr && b.topic->id == declared.id) {
        now.status = b.status;
        now.value = b.value;
      }
    topics_.push_back(std::move(now));
  }
  for (auto& t : topics_)
    t.was_relevant = is_relevant(t);
  // Skipped by its condition, not by the visitor: it comes back when the condition holds.
  for (auto& t : topics_)
    if (t.status == "skipped" && !t.was_relevant)
      t.status = has_value(t) ? "answered" : "open";
}

const topic_now* board::find(const std::string& id) const {
  const auto it = std::find_if(topics_.begin(), topics_.end(),
                               [&](const auto& t) { return t.topic->id == id; });
  return it == topics_.end() ? nullptr : &*it;
}

void board::set(const std::string& id, const std::string& status, const json_text& value) {
  for (auto& t : topics_)
    if (t.topic->id == id) {
      t.status = status;
      t.value = value;
    }
}

bool board::has_value(const topic_now& t) const {
  return !t.value.empty() && t.value != "null";
}

bool board::holds(const topic_condition& c, int depth) const {
  const auto* other = find(c.topic);
  if (other == nullptr || !has_value(*other) || other->status == "skipped"
      || !is_relevant(*other, depth + 1))
    return false;
  const auto value = json::parse(other->value, nullptr, false);
  const auto values = value.is_array() ? value : json::array({value});
  return std::any_of(values.begin(), values.end(), [&](const json& v) {
    const bool listed = c.any_of.empty()
                        || std::any_of(c.any_of.begin(), c.any_of.end(), [&](const auto& text) {
                             return json::parse(text, nullptr, false) == v;
                           });
    if (!c.min && !c.max)
      return listed;
    const auto& figure = v.is_object() && v.contains("amount") ? v["amount"] : v;
    if (!figure.is_number())
      return false;
    const auto n = figure.get<double>();
    return listed && (!c.min || n >= *c.min) && (!c.max || n <= *c.max);
  });
}

bool board::is_relevant(const topic_now& t, int depth) const {
  // Conditions that go round in a circle never hold.
  if (depth > 16)
    return false;
  return std::all_of(t.topic->when.begin(), t.topic->when.end(),
                     [&](const auto& c) { return holds(c, depth); });
}

bool board::is_relevant(const topic_now& t) const {
  return is_relevant(t, 0);
}

step board::step_of(const topic_now& t) const {
  if (!is_relevant(t))
    return step::none;
  if (t.status == "open")
    return step::ask;
  // What a person has set by hand only a person changes.
  if (t.status == "contradicted")
    return t.topic->confirm == topic_confirm::person ? step::none : step::contradicted;
  if (t.status == "answered" && t.topic->confirm == topic_confirm::read_back && has_value(t))
    return step::read_back;
  return step::none;
}

const topic_now* board::next(const std::string& leave_out) const {
  for (const auto wanted : {step::contradicted, step::read_back})
    for (const auto& t : topics_)
      if (t.topic->id != leave_out && step_of(t) == wanted)
        return &t;
  const topic_now* behind = nullptr;
  for (const auto& t : topics_) {
    if (t.topic->id == leave_out || step_of(t) != step::ask)
      continue;
    const bool is_free = std::all_of(t.topic->after.begin(), t.topic->after.end(),
                                     [&](const auto& id) {
                                       const auto* before = find(id);
                                       return before == nullptr || step_of(*before) != step::ask;
                                     });
    if (is_free)
      return &t;
    behind = behind == nullptr ? &t : behind;
  }
  // An `after` that waits for a circle, or for the topic left out: order only, so ask.
  return behind;
}

bool board::only_of_kind(const topic_declaration& topic) const {
  return std::none_of(topics_.begin(), topics_.end(), [&](const auto& t) {
    return t.topic->id != topic.id && t.topic->type == topic.type;
  });
}

} // namespace sidevoice::rules
