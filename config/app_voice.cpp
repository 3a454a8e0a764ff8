#include "config/app_reader.hpp"

#include <nlohmann/json.hpp>

namespace sidevoice {

namespace {

using nlohmann::ordered_json;

/// The names of the Realtime API.
void check_turn_detection(const ordered_json& value, const std::string& path, fault_list& faults) {
  object_fields fields{value, path, faults};
  fields.word("type", {"server_vad", "semantic_vad", "none"});
  fields.number("threshold", 0, 1);
  fields.whole("prefix_padding_ms", 0, 5000);
  fields.whole("silence_duration_ms", 50, 10'000);
  fields.word("eagerness", {"low", "medium", "high", "auto"});
  fields.finish();
}

void check_barge_in(const ordered_json& value, const std::string& path, fault_list& faults) {
  object_fields fields{value, path, faults};
  fields.whole("min_speech_ms", 0, 5000);
  fields.texts("ignore");
  fields.flag("resume_after_false");
  fields.finish();
}

void check_dead_air(const ordered_json& value, const std::string& path, fault_list& faults) {
  object_fields fields{value, path, faults};
  fields.whole("after_ms", 200, 60'000);
  fields.text("say", 500);
  fields.finish();
}

void check_silence(const ordered_json& value, const std::string& path, fault_list& faults) {
  object_fields fields{value, path, faults};
  fields.whole("after_s", 1, 600);
  fields.text("say", 500);
  fields.whole("times", 0, 10);
  fields.finish();
}

} // namespace

void check_voice(const ordered_json& voice, const std::string& path, fault_list& faults) {
  object_fields fields{voice, path, faults};
  if (const auto* value = fields.find("turn_detection"))
    check_turn_detection(*value, fields.path("turn_detection"), faults);
  if (const auto* value = fields.find("barge_in"))
    check_barge_in(*value, fields.path("barge_in"), faults);
  if (const auto* value = fields.find("dead_air"))
    check_dead_air(*value, fields.path("dead_air"), faults);
  if (const auto* value = fields.find("visitor_silent"))
    check_silence(*value, fields.path("visitor_silent"), faults);
  fields.finish();
  if (voice.is_object())
    faults.warn(path, "a key of a later version", "has no effect yet");
}

} // namespace sidevoice
