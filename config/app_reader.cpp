#include "config/app_reader.hpp"

#include "config/app_checklist.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace sidevoice {

namespace {

using nlohmann::ordered_json;

constexpr std::size_t instructions_max = 100'000;
/// In a release the text of a file, which may be longer, stands in this place.
constexpr std::size_t frozen_max = 400'000;

bool is_app_id(const std::string& id) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !id.empty() && id.size() <= 64 && id.front() >= 'a' && id.front() <= 'z'
         && std::all_of(id.begin(), id.end(), good);
}

/// "en" or "pt-BR".
bool is_language(const std::string& tag) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto dash = std::min(tag.find('-'), tag.size());
  return (dash == 2 || dash == 3) && tag.size() <= 20 && tag.back() != '-'
         && std::all_of(tag.begin(), tag.begin() + static_cast<std::ptrdiff_t>(dash), letter)
         && std::all_of(tag.begin(), tag.end(),
                        [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '-'; });
}

void check_language(const std::string& tag, const std::string& path, fault_list& faults) {
  if (!is_language(tag))
    faults.fault(path, ordered_json(tag).dump(), R"(write a language such as "en" or "pt-BR")");
  else if (!tag.starts_with("en"))
    faults.warn(path, ordered_json(tag).dump(), "the offline engines speak \"en\" only");
}

/// Reads the file's top level.
class app_reader {
public:
  app_reader(const ordered_json& root, const app_source& source, live_settings& live,
             fault_list& faults)
      : root_(root),
        source_(source),
        live_(live),
        faults_(faults) {}

  app_definition read() {
    object_fields fields{root_, "", faults_};
    fields.find("$schema", json_kind::text);
    // The chosen profile is merged already, and the others are checked on their own.
    fields.find("profiles");
    read_id(fields);
    app_.title = fields.text("title", 200).value_or(title_from(app_.id));
    if (const auto* language = fields.find("language"))
      read_language(*language, fields.path("language"));
    if (const auto* conversation = fields.find("conversation"))
      read_conversation(*conversation, fields.path("conversation"));
    if (const auto* analyzer = fields.find("analyzer"))
      read_analyzer(*analyzer, fields.path("analyzer"));
    fields.require("checklist", R"(add "checklist": { "topics": [ { "id": "email" } ] })");
    if (const auto* checklist = fields.find("checklist"))
      read_checklist(*checklist, fields.path("checklist"), app_, faults_);
    if (const auto* tools = fields.find("tools"))
      read_tools(*tools, fields.path("tools"), source_, app_, faults_);
    read_models(fields.find("models"), fields.path("models"), app_, faults_);
    if (const auto* page = fields.find("page"))
      read_page(*page, fields.path("page"));
    if (const auto* voice = fields.find("voice"))
      app_.voice = read_voice(*voice, fields.path("voice"), faults_);
    const auto* live = fields.find("live");
    static const auto nothing = ordered_json::object();
    read_live(live == nullptr ? nothing : *live, fields.path("live"), source_, live_, faults_);
    fields.finish();
    check_app_links(root_, source_, app_, live_, faults_);
    return std::move(app_);
  }

private:
  static std::string title_from(const std::string& id) {
    auto title = id;
    std::replace_if(
      title.begin(), title.end(), [](char c) { return c == '-' || c == '_'; }, ' ');
    if (!title.empty() && title.front() >= 'a' && title.front() <= 'z')
      title.front() = static_cast<char>(title.front() - 'a' + 'A');
    return title;
  }

  void read_id(object_fields& fields) {
    fields.require("app", R"(add the app's id, such as "app": "moving")");
    app_.id = fields.text("app", 64).value_or("");
    if (!app_.id.empty() && !is_app_id(app_.id))
      faults_.fault("app", ordered_json(app_.id).dump(),
                    "start with a small letter; then small letters, digits, _ and -, at most 64");
  }

  void read_language(const ordered_json& language, const std::string& path) {
    if (language.is_string()) {
      app_.language = language.get<std::string>();
      check_language(app_.language, path, faults_);
      return;
    }
    object_fields fields{language, path, faults_};
    if (const auto tag = fields.text("default", 20)) {
      app_.language = *tag;
      check_language(*tag, fields.path("default"), faults_);
    }
    const auto also = fields.texts("also");
    for (std::size_t i = 0; i < also.size(); ++i)
      check_language(also[i], path_of(fields.path("also"), i), faults_);
    fields.finish();
  }

  void read_conversation(const ordered_json& conversation, const std::string& path) {
    object_fields fields{conversation, path, faults_};
    app_.conversation_instructions = read_instructions(fields);
    app_.greeting = fields.text("greeting", 2000).value_or("");
    app_.conversation_tools = fields.texts("tools");
    if (const auto rounds = fields.whole("max_tool_rounds", 0, 16))
      app_.max_tool_rounds = static_cast<std::uint32_t>(*rounds);
    fields.finish();
  }

  void read_analyzer(const ordered_json& analyzer, const std::string& path) {
    object_fields fields{analyzer, path, faults_};
    app_.analyzer_instructions = read_instructions(fields);
    app_.analyzer_tools = fields.texts("tools");
    const auto* when = fields.find("runs_on");
    const auto runs_on = fields.words("runs_on", {"turn", "partial"});
    if (when != nullptr && when->is_array() && when->empty())
      faults_.fault(fields.path("runs_on"), "an empty list", R"(write ["turn"])");
    app_.analyzes_partial = std::find(runs_on.begin(), runs_on.end(), "partial") != runs_on.end();
    if (app_.analyzes_partial)
      faults_.warn(fields.path("runs_on"), "\"partial\", which needs a voice",
                   "has no effect yet on typed input");
    fields.finish();
  }

  /// A text, or { "file": "host.md" }.
  std::string read_instructions(object_fields& parent) {
    const auto* value = parent.find("instructions");
    if (value == nullptr)
      return {};
    if (value->is_string())
      return parent.text("instructions", source_.frozen ? frozen_max : instructions_max)
        .value_or("");
    object_fields fields{*value, parent.path("instructions"), faults_};
    fields.require("file", R"(write the text itself, or { "file": "host.md" })");
    const auto name = fields.text("file", 500);
    fields.finish();
    if (!name)
      return {};
    if (source_.files != nullptr)
      source_.files->insert((source_.folder / *name).string());
    const auto text = read_text_below(source_.folder, *name);
    if (text)
      return *text;
    faults_.fault(fields.path("file"), ordered_json(*name).dump(), text.error().detail);
    return {};
  }

  void read_page(const ordered_json& page, const std::string& path) {
    object_fields fields{page, path, faults_};
    app_.page_accent = fields.text("accent", 20).value_or("");
    app_.page_notice = fields.text("notice", 500).value_or("");
    const auto& accent = app_.page_accent;
    const auto is_hex = [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    };
    const auto good = accent.empty()
                      || (accent.front() == '#' && (accent.size() == 4 || accent.size() == 7)
                          && std::all_of(accent.begin() + 1, accent.end(), is_hex));
    if (!good)
      faults_.fault(fields.path("accent"), ordered_json(accent).dump(),
                    R"(write a colour such as "#0a7d5a")");
    fields.finish();
  }

  const ordered_json& root_;
  const app_source& source_;
  live_settings& live_;
  fault_list& faults_;
  app_definition app_;
};

} // namespace

app_definition read_app(const ordered_json& root, const app_source& source, live_settings& live,
                        fault_list& faults) {
  return app_reader{root, source, live, faults}.read();
}

} // namespace sidevoice
