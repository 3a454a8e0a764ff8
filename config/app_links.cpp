#include "config/app_reader.hpp"
#include "config/suggest.hpp"
#include "config/template_text.hpp"
#include "config/vendors.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

namespace sidevoice {

namespace {

using nlohmann::ordered_json;

/// The member at a.b, or null.
const ordered_json* find_at(const ordered_json& root, const std::string& a, const std::string& b) {
  if (!root.is_object() || !root.contains(a) || !root[a].is_object() || !root[a].contains(b))
    return nullptr;
  return &root[a][b];
}

std::string vendor_of(const ordered_json& entry) {
  if (entry.is_string())
    return entry.get_ref<const std::string&>().substr(0, entry.get<std::string>().find(':'));
  if (entry.is_object() && entry.contains("vendor") && entry["vendor"].is_string())
    return entry["vendor"].get<std::string>();
  return {};
}

/// Checks what takes two keys to see.
class link_checker {
public:
  link_checker(const ordered_json& root, const app_source& source, const app_definition& app,
               const live_settings& live, fault_list& faults)
      : root_(root),
        source_(source),
        app_(app),
        live_(live),
        faults_(faults) {}

  void run() {
    check_agent_tools("conversation");
    check_agent_tools("analyzer");
    check_unused_tools();
    for (const auto& [agent, text] : {std::pair{"conversation", &app_.conversation_instructions},
                                      std::pair{"analyzer", &app_.analyzer_instructions}})
      check_variables(*text, path_of(agent, "instructions"));
    check_variables(app_.greeting, "conversation.greeting");
    if (source_.frozen)
      return;
    check_models("conversation", app_.conversation_models);
    check_models("analyzer", app_.analyzer_models);
    check_speech("stt", app_.stt_models);
    check_speech("tts", app_.tts_models);
    check_prices();
  }

private:
  std::vector<std::string> tool_names() const {
    std::vector<std::string> names;
    if (root_.is_object() && root_.contains("tools") && root_["tools"].is_object())
      for (const auto& member : root_["tools"].items())
        names.push_back(member.key());
    return names;
  }

  void check_agent_tools(const std::string& agent) {
    const auto* list = find_at(root_, agent, "tools");
    const auto names = tool_names();
    std::set<std::string> seen;
    for (std::size_t i = 0; list != nullptr && list->is_array() && i < list->size(); ++i) {
      if (!(*list)[i].is_string() || (*list)[i].get_ref<const std::string&>().empty())
        continue;
      const auto name = (*list)[i].get<std::string>();
      const auto here = path_of(path_of(agent, "tools"), i);
      if (name == "update_topic")
        faults_.fault(here, "\"update_topic\"", "remove it: the analyzer, and nobody else, has it");
      else if (std::find(names.begin(), names.end(), name) == names.end())
        faults_.fault(here, describe((*list)[i]) + ", which is no tool",
                      names.empty() ? R"(declare it in "tools", or remove it)"
                                    : suggestion(name, names));
      else if (!seen.insert(name).second)
        faults_.fault(here, describe((*list)[i]) + " a second time", "name each tool once");
      else if (agent == "analyzer")
        check_analyzer_tool(name, here);
      used_.insert(name);
    }
  }

  void check_analyzer_tool(const std::string& name, const std::string& path) {
    const auto* tool = app_.find_tool(name);
    if (tool == nullptr)
      return;
    if (tool->needs_approval)
      faults_.fault(path, "a tool that needs approval",
                    "give it to the conversation: the analyzer cannot ask anybody");
    else if (tool->kind == tool_kind::builtin && name != "current_date_time")
      faults_.fault(path, "a tool that ends or passes on the conversation",
                    "give it to the conversation: the analyzer only listens");
  }

  void check_unused_tools() {
    for (const auto& name : tool_names())
      if (!used_.contains(name) && app_.find_tool(name) != nullptr)
        faults_.warn(path_of("tools", name), "a tool that no agent has",
                     R"(name it in "conversation": { "tools": [ ... ] }, or remove it)");
    if (app_.max_tool_rounds == 0 && !app_.conversation_tools.empty())
      faults_.warn("conversation.max_tool_rounds", "0 rounds, but tools",
                   "allow at least 1, or remove the tools");
  }

  /// {{topics.ID}} of a topic that there is not would always be empty.
  void check_variables(const std::string& text, const std::string& path) {
    std::vector<std::string> topics;
    for (const auto& topic : app_.topics)
      topics.push_back(topic.id);
    fill_variables(text, [&](const std::string& name) -> std::optional<std::string> {
      if (!name.starts_with("topics."))
        return std::nullopt;
      const auto id = name.substr(7);
      if (app_.find_topic(id) == nullptr)
        faults_.warn(path, describe(ordered_json("{{" + name + "}}")) + ", which is no topic",
                     suggestion(id, topics));
      return std::nullopt;
    });
  }

  void check_models(const std::string& agent, const std::vector<model_choice>& models) {
    const auto* list = find_at(root_, "models", agent);
    for (std::size_t i = 0; list != nullptr && list->is_array() && i < list->size(); ++i)
      check_account(vendor_of((*list)[i]), path_of(path_of("models", agent), i));
    const auto works = [&](const model_choice& one) {
      return !needs_account(one.vendor) || live_.vendors.contains(one.vendor);
    };
    // Elsewhere an account that is missing is a fault of its own.
    if (source_.is_dev() && source_.resolve_secrets && !models.empty()
        && std::none_of(models.begin(), models.end(), works))
      faults_.warn(path_of("models", agent), "no model that can be used now",
                   R"(set a vendor's key, or add "rules" as the last, which works offline)");
  }

  /// A vendor of a later version is skipped; an app may name it already.
  void check_speech(const std::string& kind, const std::vector<model_choice>& models) {
    const auto& here = speech_vendors_here();
    const auto is_here = [&here](const std::string& vendor) {
      return std::find(here.begin(), here.end(), vendor) != here.end();
    };
    const auto works = std::any_of(models.begin(), models.end(),
                                   [&](const model_choice& one) { return is_here(one.vendor); });
    const auto* list = find_at(root_, "models", kind);
    for (std::size_t i = 0; list != nullptr && list->is_array() && i < list->size(); ++i)
      if (const auto vendor = vendor_of((*list)[i]); !vendor.empty() && !is_here(vendor))
        faults_.warn(path_of(path_of("models", kind), i), describe(ordered_json(vendor)),
                     works ? "not in this version; the next one in the list takes over"
                           : R"(not in this version; add "local", or there is no voice)");
  }

  void check_account(const std::string& vendor, const std::string& path) {
    const auto& known = model_vendors();
    if (std::find(known.begin(), known.end(), vendor) == known.end() || !needs_account(vendor))
      return;
    const auto* accounts = find_at(root_, "live", "vendors");
    const auto declared = accounts != nullptr && accounts->is_object()
                          && accounts->contains(vendor);
    const auto found = '"' + vendor + "\" without an account";
    const auto remedy = "add it: \"live\": { \"vendors\": { \"" + vendor
                        + "\": { \"key\": \"${env:NAME}\" } } }";
    if (!declared && source_.is_dev())
      faults_.warn(path, found, remedy + "; until then it is skipped");
    else if (!declared)
      faults_.fault(path, found, remedy);
    else if (vendor == "azure" && (*accounts)[vendor].is_object()
             && !(*accounts)[vendor].contains("openai_url"))
      faults_.fault("live.vendors.azure.openai_url", "nothing",
                    R"(add "openai_url": "https://NAME.openai.azure.com/openai/v1")");
  }

  void check_prices() {
    if (!live_.limits.eur_per_session && !live_.limits.eur_per_day)
      return;
    for (const auto* agent : {"conversation", "analyzer"}) {
      const auto& models = agent == std::string{"analyzer"} ? app_.analyzer_models
                                                            : app_.conversation_models;
      for (std::size_t i = 0; i < models.size(); ++i)
        check_price(models[i], path_of(path_of("models", agent), i));
    }
  }

  void check_price(const model_choice& model, const std::string& path) {
    const auto account = live_.vendors.find(model.vendor);
    if (account == live_.vendors.end() || price_of(account->second, model.vendor, model.model))
      return;
    faults_.warn(path, "a model without a price, but limits in euros",
                 "add its price, else it costs nothing there: \"live\": { \"vendors\": { \""
                   + model.vendor + "\": { \"prices\": { \"" + model.model
                   + "\": { \"input\": 0.4, \"output\": 1.6 } } } } }");
  }

  const ordered_json& root_;
  const app_source& source_;
  const app_definition& app_;
  const live_settings& live_;
  fault_list& faults_;
  std::set<std::string> used_;
};

} // namespace

void check_app_links(const ordered_json& root, const app_source& source, const app_definition& app,
                     const live_settings& live, fault_list& faults) {
  link_checker{root, source, app, live, faults}.run();
}

} // namespace sidevoice
