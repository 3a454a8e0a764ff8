#pragma once

#include "config/app.hpp"
#include "config/app_fields.hpp"

#include <string>
#include <vector>

namespace sidevoice {

/// Reads `checklist` (at `path`) into the app: topics and what is said at the end.
void read_checklist(const nlohmann::ordered_json& checklist, const std::string& path,
                    app_definition& app, fault_list& faults);

/// Reads one topic without its links to others.
topic_declaration read_topic(const nlohmann::ordered_json& topic, const std::string& path,
                             fault_list& faults);

/// Reads `when` and `after` of all topics, which refer to one another: `topics[i]` is the
/// declaration of `list[i]`. Finds unknown topics, values that the other topic cannot have, and
/// circles.
void read_topic_links(const nlohmann::ordered_json& list, const std::string& path,
                      std::vector<topic_declaration>& topics, fault_list& faults);

} // namespace sidevoice
