#include "config/app_reader.hpp"

#include <nlohmann/json.hpp>

namespace sidevoice {

namespace {

using nlohmann::ordered_json;

void read_ms(object_fields& fields, const char* key, std::int64_t min, std::int64_t max,
             std::chrono::milliseconds& into) {
  if (const auto value = fields.whole(key, min, max))
    into = std::chrono::milliseconds{*value};
}

/// The names of the Realtime API.
void read_turn_detection(const ordered_json& value, const std::string& path, turn_settings& into,
                         fault_list& faults) {
  object_fields fields{value, path, faults};
  if (const auto type = fields.word("type", {"server_vad", "semantic_vad", "none"}))
    into.mode = *type == "server_vad"     ? turn_mode::silence
                : *type == "semantic_vad" ? turn_mode::semantic
                                          : turn_mode::manual;
  if (const auto threshold = fields.number("threshold", 0, 1))
    into.threshold = *threshold;
  read_ms(fields, "prefix_padding_ms", 0, 5000, into.prefix_padding);
  read_ms(fields, "silence_duration_ms", 50, 10'000, into.silence_duration);
  if (auto eagerness = fields.word("eagerness", {"low", "medium", "high", "auto"}))
    into.eagerness = std::move(*eagerness);
  fields.finish();
}

void read_barge_in(const ordered_json& value, const std::string& path, barge_in_settings& into,
                   fault_list& faults) {
  object_fields fields{value, path, faults};
  read_ms(fields, "min_speech_ms", 0, 5000, into.min_speech);
  if (value.is_object() && value.contains("ignore"))
    into.ignore = fields.texts("ignore");
  into.resume_after_false = fields.flag("resume_after_false", true);
  fields.finish();
}

dead_air_settings read_dead_air(const ordered_json& value, const std::string& path,
                                fault_list& faults) {
  dead_air_settings out;
  object_fields fields{value, path, faults};
  read_ms(fields, "after_ms", 200, 60'000, out.after);
  out.say = fields.text("say", 500).value_or("");
  fields.finish();
  if (value.is_object() && !value.contains("say"))
    faults.warn(path, "nothing to say", R"(add "say": "One moment.", or remove it)");
  return out;
}

visitor_silent_settings read_visitor_silent(const ordered_json& value, const std::string& path,
                                            fault_list& faults) {
  visitor_silent_settings out;
  object_fields fields{value, path, faults};
  if (const auto after = fields.whole("after_s", 1, 600))
    out.after = std::chrono::seconds{*after};
  out.say = fields.text("say", 500).value_or("");
  if (const auto times = fields.whole("times", 0, 10))
    out.times = static_cast<std::uint32_t>(*times);
  fields.finish();
  return out;
}

} // namespace

voice_settings read_voice(const ordered_json& voice, const std::string& path, fault_list& faults) {
  voice_settings out;
  object_fields fields{voice, path, faults};
  if (const auto* value = fields.find("turn_detection"))
    read_turn_detection(*value, fields.path("turn_detection"), out.turns, faults);
  if (const auto* value = fields.find("barge_in"))
    read_barge_in(*value, fields.path("barge_in"), out.barge_in, faults);
  if (const auto* value = fields.find("dead_air"))
    out.dead_air = read_dead_air(*value, fields.path("dead_air"), faults);
  if (const auto* value = fields.find("visitor_silent"))
    out.visitor_silent = read_visitor_silent(*value, fields.path("visitor_silent"), faults);
  fields.finish();
  return out;
}

} // namespace sidevoice
