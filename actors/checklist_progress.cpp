#include "actors/checklist.hpp"

#include <algorithm>

namespace sidevoice {

namespace {

bool is_settled(const topic_declaration& topic, topic_status status) {
  if (topic.confirm == topic_confirm::never && status == topic_status::answered)
    return true;
  return status == topic_status::confirmed || status == topic_status::skipped;
}

/// How urgent it is to speak about a topic.
enum class urgency { mend, ask, remind, none };

urgency urgency_of(const topic_declaration& topic, topic_status status) {
  switch (status) {
    case topic_status::open:
      return urgency::ask;
    case topic_status::answered:
    case topic_status::contradicted:
      if (is_settled(topic, status))
        return urgency::none;
      // No word of the visitor settles these, only a click: whatever can be asked comes before.
      return topic.confirm == topic_confirm::person ? urgency::remind : urgency::mend;
    case topic_status::confirmed:
    case topic_status::skipped:
      break;
  }
  return urgency::none;
}

} // namespace

bool is_complete(const app_definition& app, const session_view& view) {
  const bool some_required = std::any_of(app.topics.begin(), app.topics.end(),
                                         [](const auto& topic) { return topic.required; });
  return !app.topics.empty()
         && std::all_of(app.topics.begin(), app.topics.end(), [&](const auto& topic) {
              return (some_required && !topic.required)
                     || is_settled(topic, view.topic(topic.id).status);
            });
}

const topic_declaration* next_topic(const app_definition& app, const session_view& view,
                                    const std::vector<std::string>& leave_out) {
  const auto urgency_now = [&](const topic_declaration& topic) {
    return urgency_of(topic, view.topic(topic.id).status);
  };
  const auto waits = [&](const topic_declaration& topic) {
    return std::any_of(topic.after.begin(), topic.after.end(), [&](const std::string& id) {
      const auto* earlier = app.find_topic(id);
      return earlier && urgency_now(*earlier) == urgency::ask;
    });
  };
  const topic_declaration* waiting = nullptr;
  for (const auto wanted : {urgency::mend, urgency::ask, urgency::remind}) {
    for (const auto& topic : app.topics) {
      if (urgency_now(topic) != wanted
          || std::find(leave_out.begin(), leave_out.end(), topic.id) != leave_out.end())
        continue;
      if (wanted != urgency::ask || !waits(topic))
        return &topic;
      waiting = waiting ? waiting : &topic;
    }
    // `after` is order only: what waits for a circle, or for a topic left out, is asked all the
    // same.
    if (waiting)
      return waiting;
  }
  return nullptr;
}

} // namespace sidevoice
