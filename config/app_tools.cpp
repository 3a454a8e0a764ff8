#include "config/app_reader.hpp"
#include "config/app_references.hpp"
#include "config/json_schema.hpp"
#include "config/suggest.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>

namespace sidevoice {

namespace {

using nlohmann::ordered_json;

constexpr std::size_t tools_max = 100;

const std::vector<std::string>& builtin_names() {
  static const std::vector<std::string> names = {"transfer_to_person", "end_session",
                                                 "current_date_time"};
  return names;
}

/// What models take as a function's name.
bool is_function_name(const std::string& name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'
           || c == '-';
  });
}

/// Reads one tool; which keys there are depends on its kind.
class tool_reader {
public:
  tool_reader(const ordered_json& tool, const std::string& name, std::string path,
              const app_source& source, fault_list& faults)
      : fields_(tool, std::move(path), faults),
        source_(source),
        faults_(faults) {
    tool_.name = name;
  }

  /// Nothing where not even the kind is known.
  std::optional<tool_declaration> read() {
    fields_.require("kind", R"(add "kind": "webhook", "client" or "builtin")");
    const auto kind = fields_.word("kind", {"webhook", "client", "builtin", "mcp"});
    if (!kind)
      return std::nullopt;
    tool_.description = fields_.text("description", 1000).value_or("");
    if (kind == "builtin")
      read_builtin();
    else if (kind == "mcp")
      read_mcp();
    else
      read_function(*kind);
    fields_.finish();
    return std::move(tool_);
  }

private:
  void read_builtin() {
    tool_.kind = tool_kind::builtin;
    const auto& names = builtin_names();
    if (std::find(names.begin(), names.end(), tool_.name) == names.end())
      faults_.fault(fields_.path("kind"), '"' + tool_.name + "\", which is not built in",
                    suggestion(tool_.name, names));
    read_approval();
  }

  void read_mcp() {
    tool_.kind = tool_kind::mcp;
    fields_.require("url", R"(add the server's address, such as "url": "${env:CRM_MCP_URL}")");
    read_url();
    tool_.allow = fields_.texts("allow");
    read_timeout();
    faults_.warn(fields_.path("kind"), "a tool server", "has no effect yet");
  }

  void read_function(const std::string& kind) {
    fields_.require("description", "add what it does: the model chooses by it");
    if (kind == "webhook") {
      tool_.kind = tool_kind::webhook;
      fields_.require("url", R"(add its address, such as "url": "${env:SHOP_URL}/estimate")");
      read_url();
    } else {
      tool_.kind = tool_kind::client;
      read_no_page();
    }
    tool_.meanwhile = fields_.text("meanwhile", 500).value_or("");
    read_timeout();
    if (const auto bytes = fields_.whole("output_bytes_max", 256, 262'144))
      tool_.output_bytes_max = static_cast<std::uint32_t>(*bytes);
    read_effect();
    read_approval();
    read_parameters();
    if (tool_.needs_approval && tool_.effect == tool_effect::none)
      faults_.warn(fields_.path("needs_approval"), "approval of a tool without effect",
                   R"(say what running it does: "effects": true, or leave out the approval)");
  }

  void read_url() {
    const auto url = fields_.text("url", 2000);
    if (!url)
      return;
    tool_.url = *url;
    if (!source_.frozen)
      reference_reader{source_, "the tool", faults_}.address(*url, fields_.path("url"), true);
  }

  void read_no_page() {
    static const std::map<std::string, no_page> meaning = {{"skip", no_page::skip},
                                                           {"wait", no_page::wait},
                                                           {"fail", no_page::fail}};
    if (const auto word = fields_.word("no_page", {"skip", "wait", "fail"}))
      tool_.without_page = meaning.at(*word);
  }

  void read_timeout() {
    if (const auto ms = fields_.whole("timeout_ms", 100, 120'000))
      tool_.timeout = std::chrono::milliseconds{*ms};
  }

  void read_effect() {
    static const std::map<std::string, tool_effect> meaning = {{"none", tool_effect::none},
                                                               {"idempotent",
                                                                tool_effect::idempotent},
                                                               {"once", tool_effect::once}};
    if (fields_.flag("effects"))
      tool_.effect = tool_effect::once;
    const auto word = fields_.word("effect", {"none", "idempotent", "once"});
    if (word)
      tool_.effect = meaning.at(*word);
    if (word && fields_.find("effects") != nullptr)
      faults_.fault(fields_.path("effects"), "\"effect\" and \"effects\"",
                    R"(write one of the two; "effects": true means "effect": "once")");
  }

  void read_approval() {
    tool_.needs_approval = fields_.word("needs_approval", {"user"}).has_value();
  }

  void read_parameters() {
    const auto* value = fields_.find("parameters", json_kind::object);
    if (value == nullptr)
      return;
    const auto path = fields_.path("parameters");
    tool_.parameters = value->dump();
    if (value->value("type", ordered_json("object")) != "object")
      faults_.fault(path_of(path, "type"), describe(value->at("type")),
                    R"(write "object": arguments have names)");
    for (const auto& wrong : schema_faults(nlohmann::json::parse(tool_.parameters)))
      report(wrong, *value, path);
  }

  void report(const schema_fault& wrong, const ordered_json& schema, std::string path) {
    const auto* part = &schema;
    for (const auto& key : wrong.path) {
      path = path_of(path, key);
      part = &part->at(key);
    }
    // What nothing checks must not look as if it were checked before a call is sent.
    if (wrong.warning)
      faults_.fault(path, "the keyword \"" + wrong.path.back() + '"', wrong.remedy);
    else
      faults_.fault(path, describe(*part), wrong.remedy);
  }

  object_fields fields_;
  const app_source& source_;
  fault_list& faults_;
  tool_declaration tool_;
};

} // namespace

void read_tools(const ordered_json& tools, const std::string& path, const app_source& source,
                app_definition& app, fault_list& faults) {
  if (!tools.is_object()) {
    faults.fault(path, describe_kind(tools),
                 R"(write an object: { "estimate": { "kind": "webhook", ... } })");
    return;
  }
  if (tools.size() > tools_max)
    faults.fault(path, std::to_string(tools.size()) + " tools",
                 "declare at most 100: models choose worse among more");
  for (const auto& member : tools.items()) {
    const auto here = path_of(path, member.key());
    if (member.key() == "update_topic")
      faults.fault(here, "the name of a built-in tool",
                   "choose another name: the analyzer always has \"update_topic\"");
    else if (!is_function_name(member.key()))
      faults.fault(here, "a name that models do not take",
                   "use letters, digits, _ and -, at most 64");
    if (auto tool = tool_reader{member.value(), member.key(), here, source, faults}.read())
      app.tools.push_back(std::move(*tool));
  }
  std::sort(app.tools.begin(), app.tools.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
}

} // namespace sidevoice
