#include "config/app.hpp"

#include <algorithm>

namespace sidevoice {

const char* to_string(topic_type type) {
  switch (type) {
    case topic_type::text:
      return "text";
    case topic_type::person_name:
      return "person_name";
    case topic_type::address:
      return "address";
    case topic_type::date:
      return "date";
    case topic_type::choice:
      return "choice";
    case topic_type::integer:
      return "integer";
    case topic_type::yes_no:
      return "yes_no";
    case topic_type::money:
      return "money";
    case topic_type::email:
      return "email";
    case topic_type::object:
      return "object";
  }
  return "unknown";
}

const topic_declaration* app_definition::find_topic(const std::string& topic) const {
  const auto found = std::find_if(topics.begin(), topics.end(),
                                  [&](const topic_declaration& t) { return t.id == topic; });
  return found == topics.end() ? nullptr : &*found;
}

const tool_declaration* app_definition::find_tool(const std::string& tool) const {
  const auto found = std::find_if(tools.begin(), tools.end(),
                                  [&](const tool_declaration& t) { return t.name == tool; });
  return found == tools.end() ? nullptr : &*found;
}

const char* to_string(tool_kind kind) {
  switch (kind) {
    case tool_kind::webhook:
      return "webhook";
    case tool_kind::client:
      return "client";
    case tool_kind::builtin:
      return "builtin";
    case tool_kind::mcp:
      return "mcp";
  }
  return "unknown";
}

const char* to_string(tool_effect effect) {
  switch (effect) {
    case tool_effect::none:
      return "none";
    case tool_effect::idempotent:
      return "idempotent";
    case tool_effect::once:
      return "once";
  }
  return "unknown";
}

} // namespace sidevoice
