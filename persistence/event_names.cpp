#include "persistence/event.hpp"

namespace sidevoice {

std::string_view type_of(const event_body& body) {
  if (const auto* gone = std::get_if<erased>(&body))
    return gone->was;
  return std::visit([](const auto& known) { return std::string_view{known.type}; }, body);
}

const char* to_string(item_kind kind) {
  switch (kind) {
    case item_kind::message:
      return "message";
    case item_kind::function_call:
      return "function_call";
    case item_kind::function_call_output:
      return "function_call_output";
  }
  return "unknown";
}

const char* to_string(item_role role) {
  switch (role) {
    case item_role::system:
      return "system";
    case item_role::user:
      return "user";
    case item_role::assistant:
      return "assistant";
  }
  return "unknown";
}

const char* to_string(item_status status) {
  switch (status) {
    case item_status::completed:
      return "completed";
    case item_status::incomplete:
      return "incomplete";
  }
  return "unknown";
}

const char* to_string(topic_status status) {
  switch (status) {
    case topic_status::open:
      return "open";
    case topic_status::answered:
      return "answered";
    case topic_status::confirmed:
      return "confirmed";
    case topic_status::contradicted:
      return "contradicted";
    case topic_status::skipped:
      return "skipped";
  }
  return "unknown";
}

const char* to_string(topic_author author) {
  switch (author) {
    case topic_author::analyzer:
      return "analyzer";
    case topic_author::person:
      return "person";
    case topic_author::rule:
      return "rule";
  }
  return "unknown";
}

const char* to_string(response_status status) {
  switch (status) {
    case response_status::completed:
      return "completed";
    case response_status::cancelled:
      return "cancelled";
    case response_status::incomplete:
      return "incomplete";
    case response_status::failed:
      return "failed";
  }
  return "unknown";
}

const char* to_string(call_author author) {
  switch (author) {
    case call_author::conversation:
      return "conversation";
    case call_author::analyzer:
      return "analyzer";
  }
  return "unknown";
}

const char* to_string(call_runner runner) {
  switch (runner) {
    case call_runner::server:
      return "server";
    case call_runner::page:
      return "page";
    case call_runner::client:
      return "client";
  }
  return "unknown";
}

std::optional<topic_status> topic_status_from(std::string_view name) {
  for (const auto status : {topic_status::open, topic_status::answered, topic_status::confirmed,
                            topic_status::contradicted, topic_status::skipped})
    if (name == to_string(status))
      return status;
  return std::nullopt;
}

} // namespace sidevoice
