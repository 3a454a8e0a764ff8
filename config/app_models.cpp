#include "config/app_reader.hpp"
#include "config/suggest.hpp"
#include "config/vendors.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace sidevoice {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::size_t models_max = 8;

model_choice rules() {
  return {"rules", "", R"({"vendor":"rules"})"};
}

model_choice local_speech() {
  return {"local", "", R"({"vendor":"local"})"};
}

/// "openai:gpt-4.1-mini", or "rules".
model_choice from_text(const std::string& text) {
  const auto colon = text.find(':');
  model_choice choice{text.substr(0, colon),
                      colon == std::string::npos ? "" : text.substr(colon + 1),
                      {}};
  json options{{"vendor", choice.vendor}};
  if (!choice.model.empty())
    options["model"] = choice.model;
  choice.options = options.dump();
  return choice;
}

/// One list of `models`: what its vendors are, and which keys an entry written as an object has.
class model_list {
public:
  model_list(const std::vector<std::string>& vendors, bool speech, fault_list& faults)
      : vendors_(vendors),
        speech_(speech),
        faults_(faults) {}

  std::vector<model_choice> read(const ordered_json& list, const std::string& path) {
    std::vector<model_choice> out;
    if (!list.is_array() || list.empty() || list.size() > models_max) {
      faults_.fault(path,
                    !list.is_array() ? describe(list)
                    : list.empty()   ? "an empty list"
                                     : std::to_string(list.size()) + " models",
                    "list models in the order of trying, at most 8, such as " + example());
      return out;
    }
    for (std::size_t i = 0; i < list.size(); ++i)
      if (auto one = read_entry(list[i], path_of(path, i)))
        out.push_back(std::move(*one));
    return out;
  }

private:
  std::string example() const {
    return speech_ ? R"(["deepgram:nova-3", "local"])" : R"(["openai:gpt-4.1-mini", "rules"])";
  }

  std::optional<model_choice> read_entry(const ordered_json& entry, const std::string& path) {
    if (entry.is_object())
      return read_object(entry, path);
    if (!entry.is_string()) {
      faults_.fault(path, describe(entry), "write a model such as one of " + example());
      return std::nullopt;
    }
    auto choice = from_text(entry.get<std::string>());
    if (!check_vendor(choice.vendor, path))
      return std::nullopt;
    check_model(choice, entry.get_ref<const std::string&>().find(':') != std::string::npos, path);
    return choice;
  }

  /// { "vendor": "openai", "model": "...", "temperature": 0.3 }
  std::optional<model_choice> read_object(const ordered_json& entry, const std::string& path) {
    object_fields fields{entry, path, faults_};
    fields.require("vendor", R"(add the vendor, such as "vendor": "openai")");
    model_choice choice;
    choice.vendor = fields.text("vendor", 64).value_or("");
    choice.model = fields.text("model", 200).value_or("");
    choice.options = json(entry).dump();
    if (speech_)
      check_speech_options(fields);
    else
      check_options(fields);
    fields.finish();
    if (choice.vendor.empty() || !check_vendor(choice.vendor, fields.path("vendor")))
      return std::nullopt;
    check_model(choice, !choice.model.empty(), path);
    return choice;
  }

  static void check_options(object_fields& fields) {
    fields.number("temperature", 0, 2);
    fields.number("top_p", 0, 1);
    fields.whole("seed", 0, 2'147'483'647);
    for (const auto* key : {"reasoning_effort", "verbosity", "service_tier"})
      fields.text(key, 32);
    fields.word("max_tokens_field", {"max_completion_tokens", "max_tokens", "none"});
    fields.word("instructions_role", {"system", "developer"});
    fields.flag("include_usage");
    fields.flag("parallel_tool_calls");
  }

  void check_speech_options(object_fields& fields) {
    fields.text("voice", 200);
    fields.text("language", 20);
    fields.number("speed", 0.25, 4);
    if (const auto* also = fields.find("also", json_kind::object)) {
      object_fields voices{*also, fields.path("also"), faults_};
      for (const auto& member : also->items())
        voices.text(member.key(), 200);
    }
  }

  bool check_vendor(const std::string& vendor, const std::string& path) {
    if (std::find(vendors_.begin(), vendors_.end(), vendor) != vendors_.end())
      return true;
    faults_.fault(path, describe(ordered_json(vendor)) + ", which is no vendor known here",
                  suggestion(vendor, vendors_));
    return false;
  }

  void check_model(const model_choice& choice, bool named, const std::string& path) {
    if (!needs_account(choice.vendor) && named)
      faults_.fault(path, "a model of \"" + choice.vendor + '"',
                    "write \"" + choice.vendor + "\" alone: it has no models to choose from");
    else if (needs_account(choice.vendor) && !speech_ && choice.model.empty())
      faults_.fault(path, '"' + choice.vendor + "\" without a model",
                    "name one, such as \"" + choice.vendor + ":gpt-4.1-mini\"");
    else if (choice.model.size() > 200)
      faults_.fault(path, "a name of over 200 characters", "name the model as its vendor does");
  }

  const std::vector<std::string>& vendors_;
  bool speech_;
  fault_list& faults_;
};

} // namespace

void read_models(const ordered_json* models, const std::string& path, app_definition& app,
                 fault_list& faults) {
  app.conversation_models = {rules()};
  app.analyzer_models = {rules()};
  app.stt_models = {local_speech()};
  app.tts_models = {local_speech()};
  if (models == nullptr)
    return;
  object_fields fields{*models, path, faults};
  model_list language{model_vendors(), false, faults};
  if (const auto* list = fields.find("conversation"))
    app.conversation_models = language.read(*list, fields.path("conversation"));
  if (const auto* list = fields.find("analyzer"))
    app.analyzer_models = language.read(*list, fields.path("analyzer"));
  if (const auto* list = fields.find("stt"))
    app.stt_models = model_list{hearing_vendors(), true, faults}.read(*list, fields.path("stt"));
  if (const auto* list = fields.find("tts"))
    app.tts_models = model_list{speaking_vendors(), true, faults}.read(*list, fields.path("tts"));
  fields.finish();
}

} // namespace sidevoice
