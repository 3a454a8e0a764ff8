#include "config/app_checklist.hpp"

#include "config/topic_text.hpp"

#include <nlohmann/json.hpp>

#include <set>
#include <utility>

namespace sidevoice {

namespace {

using nlohmann::ordered_json;

constexpr std::size_t topics_max = 200;

void read_complete(const ordered_json& complete, const std::string& path, app_definition& app,
                   fault_list& faults) {
  object_fields fields{complete, path, faults};
  app.complete_say = fields.text("say", 2000).value_or("");
  app.complete_summary = fields.flag("summary");
  fields.finish();
}

void read_list(const ordered_json& list, const std::string& path, app_definition& app,
               fault_list& faults) {
  if (list.empty() || list.size() > topics_max) {
    faults.fault(path, std::to_string(list.size()) + " topics",
                 R"(declare 1 to 200 topics, such as { "id": "email" })");
    return;
  }
  std::set<std::string> seen;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto here = path_of(path, i);
    auto topic = read_topic(list[i], here, faults);
    if (!topic.id.empty() && !seen.insert(topic.id).second)
      faults.fault(path_of(here, "id"), '"' + topic.id + "\" a second time",
                   "give each topic an id of its own");
    app.topics.push_back(std::move(topic));
  }
  read_topic_links(list, path, app.topics, faults);
}

} // namespace

void read_checklist(const ordered_json& checklist, const std::string& path, app_definition& app,
                    fault_list& faults) {
  object_fields fields{checklist, path, faults};
  fields.require("topics", R"(add "topics": [ { "id": "email" } ])");
  if (const auto* list = fields.find("topics", json_kind::list))
    read_list(*list, fields.path("topics"), app, faults);
  if (const auto* complete = fields.find("complete"))
    read_complete(*complete, fields.path("complete"), app, faults);
  fields.finish();
}

} // namespace sidevoice
