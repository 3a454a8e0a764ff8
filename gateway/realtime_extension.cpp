#include "gateway/realtime_extension.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace sidevoice {

using nlohmann::json;

namespace {

json evidence_to_json(const topic_evidence& evidence) {
  if (evidence.item.empty())
    return nullptr;
  return {{"item_id", evidence.item},
          {"quote", evidence.quote},
          {"confidence", evidence.confidence}};
}

json value_to_json(const json_text& value) {
  return value.empty() ? json{} : json::parse(value, nullptr, false);
}

const char* confirm_name(topic_confirm confirm) {
  switch (confirm) {
    case topic_confirm::read_back:
      return "read_back";
    case topic_confirm::person:
      return "person";
    case topic_confirm::never:
      break;
  }
  return "never";
}

} // namespace

json topic_to_json(const topic_declaration& topic, const topic_state& state) {
  json out{{"id", topic.id},
           {"label", topic.label},
           {"type", to_string(topic.type)},
           {"required", topic.required},
           {"list", topic.list},
           {"confirm", confirm_name(topic.confirm)},
           {"sensitive", topic.sensitive},
           {"status", to_string(state.status)},
           {"value", value_to_json(state.value)},
           {"evidence", evidence_to_json(state.evidence)},
           {"by", to_string(state.by)},
           {"revision", state.revision}};
  if (topic.type == topic_type::choice) {
    out["choices"] = json::array();
    for (const auto& choice : topic.choices)
      out["choices"].push_back(choice.value);
  }
  if (topic.min)
    out["min"] = *topic.min;
  if (topic.min_today)
    out["min"] = "today";
  if (topic.max)
    out["max"] = *topic.max;
  if (!topic.currency.empty())
    out["currency"] = topic.currency;
  return out;
}

json topics_to_json(const app_definition& app,
                    const std::map<std::string, topic_state_ptr>& topics) {
  auto out = json::array();
  for (const auto& topic : app.topics) {
    const auto known = topics.find(topic.id);
    out.push_back(topic_to_json(topic, known == topics.end() ? topic_state{} : *known->second));
  }
  return out;
}

std::string state_of(const session_view& view) {
  if (!view.ended.empty())
    return "ended";
  return view.open_responses.empty() ? "ready" : "thinking";
}

json snapshot_to_json(const app_definition& app, const session_view& view, const std::string& store,
                      const std::string& client_key) {
  auto first = view.head;
  for (const auto& stored : view.items)
    first = std::min(first, stored->seq);
  json out{{"type", "sidevoice.session.snapshot"},
           {"store", store},
           {"release", view.about.release},
           {"state", state_of(view)},
           {"topics", topics_to_json(app, view.topics)},
           {"revision", view.revision},
           {"items_from", first},
           {"items", view.items.size()}};
  if (!client_key.empty())
    out["client_key"] = client_key;
  if (view.completed)
    out["completed"] = {{"revision", *view.completed}, {"result", value_to_json(view.result())}};
  if (!view.ended.empty())
    out["ended"] = {{"reason", view.ended}};
  return out;
}

} // namespace sidevoice
