#include "actors/calls.hpp"
#include "config/ids.hpp"
#include "config/json_schema.hpp"
#include "config/jsonc.hpp"
#include "config/topic_value.hpp"
#include "tests/fuzz/fuzzing.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>

using namespace sidevoice;
using namespace sidevoice::fuzzing;

namespace {

constexpr calendar_day today{2027, 3, 12};

/// A schema as an app file may hold it: whoever wrote it was told of its faults.
bool is_schema(const std::string& text) {
  const auto document = parse_jsonc(text, json_dialect::strict);
  if (!document.root || !document.root->is_object())
    return false;
  for (const auto& fault : schema_faults(nlohmann::json(*document.root)))
    if (!fault.warning)
      return false;
  return true;
}

/// What a model calls a tool with: taken as it is, or answered by an output; never both.
void call_tool(const std::string& schema, const std::string& arguments) {
  app_definition app;
  app.id = "fuzz";
  app.tools.push_back({.name = "look", .parameters = schema});
  app.conversation_tools = {"look"};
  counted_ids ids;
  const item call{.id = "item_1",
                  .kind = item_kind::function_call,
                  .call_id = "call_1",
                  .name = "look",
                  .arguments = arguments,
                  .response = "resp_1"};
  const auto events = take_calls(app, {}, {call}, nullptr, ids);
  must(events.size() == 1, "a call without exactly one consequence");
  const auto is_good = check_arguments(app.tools[0], arguments).has_value();
  must(std::holds_alternative<call_opened>(events[0]) == is_good, "a call that breaks its schema");
  if (const auto* put = std::get_if<item_put>(&events[0])) {
    must(put->value.kind == item_kind::function_call_output && put->value.call_id == "call_1",
         "an output of something else");
    must(!nlohmann::json::parse(put->value.output, nullptr, false).is_discarded(),
         "an output that is no JSON");
  }
}

/// A value for a topic: refused with a sentence, or in a form that is its own canonical form.
void check_value(topic_declaration topic, const std::string& value) {
  for (const auto list : {false, true}) {
    topic.list = list;
    const auto taken = check_topic_value(topic, value, today);
    if (!taken) {
      must(taken.error().code == errc::invalid && !taken.error().detail.empty(), "a bare refusal");
      continue;
    }
    const auto again = check_topic_value(topic, *taken, today);
    must(again.has_value() && *again == *taken, "a canonical value has another canonical form");
    (void)display_topic_value(topic, *taken);
  }
  // Never checked ones come from stores of older apps.
  (void)display_topic_value(topic, value);
}

} // namespace

/// First line: a JSON Schema. The rest: arguments of a call, and a value for topics of all types.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto parts = split(text_of(bytes, size), '\n', 2);
  const std::string schema{parts.front()};
  const std::string value{parts.back()};
  const bool has_schema = is_schema(schema);
  if (has_schema)
    call_tool(schema, value);
  for (const auto type :
       {topic_type::text, topic_type::person_name, topic_type::address, topic_type::date,
        topic_type::choice, topic_type::integer, topic_type::yes_no, topic_type::money,
        topic_type::email, topic_type::object})
    check_value({.id = "topic",
                 .type = type,
                 .label = "Topic",
                 .choices = {{"flat", {"apartment"}}, {"house", {}}},
                 .min = type == topic_type::integer ? std::optional<double>{0} : std::nullopt,
                 .min_today = type == topic_type::date,
                 .currency = "EUR",
                 .schema = has_schema ? schema : "{}"},
                value);
  return 0;
}
