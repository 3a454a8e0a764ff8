#include "config/app_reader.hpp"
#include "config/suggest.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace sidevoice {

namespace {

using nlohmann::ordered_json;

bool is_vendor(const std::string& name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), good);
}

model_choice rules() {
  return {"rules", "", R"({"vendor":"rules"})"};
}

/// "openai:gpt-4.1-mini", or "rules".
model_choice from_text(const std::string& text) {
  const auto colon = text.find(':');
  model_choice choice{text.substr(0, colon),
                      colon == std::string::npos ? "" : text.substr(colon + 1),
                      {}};
  ordered_json options{{"vendor", choice.vendor}};
  if (!choice.model.empty())
    options["model"] = choice.model;
  choice.options = options.dump();
  return choice;
}

/// { "vendor": "openai", "model": "...", ... }: what else it holds is the vendor's to read.
model_choice from_object(const ordered_json& entry, const std::string& path, fault_list& faults) {
  object_fields fields{entry, path, faults};
  fields.require("vendor", R"(add the vendor, such as "vendor": "openai")");
  model_choice choice;
  choice.vendor = fields.text("vendor", 64).value_or("");
  choice.model = fields.text("model", 200).value_or("");
  choice.options = entry.dump();
  return choice;
}

std::vector<model_choice> read_list(const ordered_json& list, const std::string& path,
                                    fault_list& faults) {
  std::vector<model_choice> out;
  if (!list.is_array() || list.empty()) {
    faults.fault(path, list.is_array() ? "an empty list" : describe(list),
                 R"(list models in the order of trying, such as ["openai:gpt-4.1-mini", "rules"])");
    return out;
  }
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto& entry = list[i];
    const auto here = path_of(path, i);
    const auto before = entry.is_object() ? from_object(entry, here, faults)
                                          : from_text(entry.is_string() ? entry : ordered_json(""));
    const auto named = !entry.is_object() || entry.contains("vendor");
    if (named && !is_vendor(before.vendor))
      faults.fault(entry.is_object() ? path_of(here, "vendor") : here, describe(entry),
                   R"(write "rules", "vendor:model" or { "vendor": "openai", "model": "..." })");
    else
      out.push_back(before);
  }
  return out;
}

} // namespace

void read_models(const ordered_json* models, const std::string& path, app_definition& app,
                 fault_list& faults) {
  app.conversation_models = {rules()};
  app.analyzer_models = {rules()};
  if (models == nullptr)
    return;
  object_fields fields{*models, path, faults};
  if (const auto* list = fields.find("conversation"))
    app.conversation_models = read_list(*list, fields.path("conversation"), faults);
  if (const auto* list = fields.find("analyzer"))
    app.analyzer_models = read_list(*list, fields.path("analyzer"), faults);
  fields.later("stt", json_kind::list);
  fields.later("tts", json_kind::list);
  fields.finish();
}

} // namespace sidevoice
