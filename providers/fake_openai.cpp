#include "providers/fake_openai.hpp"

#include "config/template_text.hpp"
#include "providers/fake/chat_check.hpp"
#include "providers/fake/chat_request.hpp"
#include "providers/fake/reply.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace sidevoice {

namespace {

using json = nlohmann::json;

bool starts_with(const std::string& text, std::string_view prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

/// "NAME" of "/openai/deployments/NAME/chat/completions"; empty for other paths.
std::string deployment_of(const std::string& path) {
  constexpr std::string_view before = "/openai/deployments/";
  constexpr std::string_view after = "/chat/completions";
  if (!starts_with(path, before) || path.size() <= before.size() + after.size()
      || path.compare(path.size() - after.size(), after.size(), after) != 0)
    return {};
  return path.substr(before.size(), path.size() - before.size() - after.size());
}

/// Fills variables into all texts of a JSON value.
void fill(nlohmann::ordered_json& value, const variable_lookup& lookup) {
  if (value.is_string())
    value = fill_variables(value.get_ref<const std::string&>(), lookup);
  else if (value.is_structured())
    for (auto& inner : value)
      fill(inner, lookup);
}

/// Without a script's word: what the request forces, else an echo.
void make_up(fake_reply& reply, const chat_facts& facts) {
  const auto echo = facts.last_role == "tool" ? "The tool said: " + facts.tool_output
                                              : "You said: " + facts.last_user;
  if (!facts.forced_tool.empty())
    reply.calls.push_back({facts.forced_tool, smallest_value(facts.forced_schema), true, ""});
  else if (!facts.answer_schema.empty())
    reply.text = smallest_value(facts.answer_schema);
  else
    reply.text = facts.json_answer ? json{{"answer", echo}}.dump() : echo;
}

fake_answer method_not_allowed(const fake_request& request) {
  return error_answer({405, "Not allowed to " + request.method + " on " + request.path + ".",
                       "invalid_request_error", "method_not_supported", ""});
}

fake_answer unknown_model(const std::string& name) {
  return error_answer({404,
                       "The model `" + name + "` does not exist or you do not have access to it.",
                       "invalid_request_error", "model_not_found", "model"});
}

} // namespace

fake_openai::fake_openai(fake_options options, fake_script script) : options_(std::move(options)) {
  use(std::move(script));
}

void fake_openai::use(fake_script script) {
  script_ = std::move(script);
  used_.assign(script_.rules.size(), 0);
  calls_ = 0;
}

fake_answer fake_openai::answer(const fake_request& request) {
  if (starts_with(request.path, "/fake/"))
    return control(request);
  const auto number = ++requests_;
  std::string rule;
  auto out = serve(request, rule);
  out.number = number;
  out.fields.push_back({"x-request-id", "req_fake_" + std::to_string(number)});
  record(request, out, rule);
  return out;
}

fake_answer fake_openai::serve(const fake_request& request, std::string& rule) {
  auto path = request.path;
  auto through = door::openai;
  const auto deployment = deployment_of(path);
  if (starts_with(path, "/openai/")) {
    through = door::azure;
    path = deployment.empty() ? path.substr(7) : "/v1/chat/completions";
  }
  const auto is_chat = path == "/v1/chat/completions";
  const auto is_models = path == "/v1/models" || starts_with(path, "/v1/models/");
  if (!is_chat && !is_models)
    return error_answer({404,
                         "Unknown request URL: " + request.method + " " + request.path
                           + ". Please check the URL for typos.",
                         "invalid_request_error", "unknown_url", ""});
  if (!may_enter(request, through))
    return refuse(request, through);
  if (request.method != (is_chat ? "POST" : "GET"))
    return method_not_allowed(request);
  if (is_models)
    return models(path.substr(std::string_view{"/v1/models"}.size()));
  if (!deployment.empty() && request.query.count("api-version") == 0)
    return json_answer(404, R"({"error":{"code":"404","message":"Resource not found"}})");
  return chat(request, deployment, through, rule);
}

bool fake_openai::may_enter(const fake_request& request, door through) const {
  return options_.key.empty() || request.field("authorization") == "Bearer " + options_.key
         || (through == door::azure && request.field("api-key") == options_.key);
}

fake_answer fake_openai::refuse(const fake_request& request, door through) const {
  if (through == door::azure)
    return json_answer(401, R"({"error":{"code":"401","message":"Access denied due to invalid )"
                            R"(subscription key or wrong API endpoint."}})");
  const auto* message = request.field("authorization").empty()
                          ? "You did not provide an API key: send it as Authorization: Bearer KEY."
                          : "Incorrect API key provided.";
  return error_answer({401, message, "invalid_request_error", "invalid_api_key", ""});
}

bool fake_openai::has_model(const std::string& name) const {
  return script_.models.empty()
         || std::find(script_.models.begin(), script_.models.end(), name) != script_.models.end();
}

fake_answer fake_openai::models(const std::string& rest) const {
  const auto entry = [](const std::string& name) {
    return json{
      {"id", name}, {"object", "model"}, {"created", 1'700'000'000}, {"owned_by", "fake"}};
  };
  if (rest.size() > 1)
    return has_model(rest.substr(1)) ? json_answer(
             200, entry(rest.substr(1)).dump(-1, ' ', false, json::error_handler_t::replace))
                                     : unknown_model(rest.substr(1));
  auto data = json::array();
  for (const auto& name : script_.models)
    data.push_back(entry(name));
  if (data.empty())
    data.push_back(entry("fake-model"));
  return json_answer(200, json{{"object", "list"}, {"data", data}}.dump());
}

fake_answer fake_openai::chat(const fake_request& request, const std::string& deployment,
                              door through, std::string& rule) {
  auto body = parse_chat(request.body);
  if (body.is_discarded())
    return error_answer(invalid_chat("", "",
                                     "We could not parse the JSON body of your request: the body "
                                     "must be valid JSON in UTF-8."));
  // In the classic form the deployment in the path is the model, whatever the body says.
  if (!deployment.empty() && body.is_object())
    body["model"] = deployment;
  if (auto wrong = check_chat(body))
    return error_answer(std::move(*wrong));
  const auto facts = facts_of(body);
  if (!has_model(facts.model)) {
    if (deployment.empty())
      return unknown_model(facts.model);
    return error_answer({404, "The API deployment for this resource does not exist.",
                         "invalid_request_error", "DeploymentNotFound", ""});
  }
  const auto reply = choose(facts, rule);
  return compose_reply(reply, {.id = "chatcmpl-fake" + std::to_string(requests_),
                               .model = facts.model,
                               .created = request.unix_s,
                               .stream = facts.stream,
                               .include_usage = facts.include_usage,
                               .azure = through == door::azure,
                               .prompt_tokens = facts.prompt_tokens,
                               .seed = options_.seed + calls_});
}

fake_reply fake_openai::choose(const chat_facts& facts, std::string& rule) {
  ++calls_;
  auto reply = script_.defaults;
  rule = "default";
  for (std::size_t i = 0; i < script_.rules.size(); ++i) {
    const auto& candidate = script_.rules[i];
    if ((candidate.times && used_[i] >= *candidate.times)
        || !matches(candidate.match, facts, calls_))
      continue;
    ++used_[i];
    reply = candidate.answer;
    rule = "rules[" + std::to_string(i) + "]";
    break;
  }
  complete(reply, facts);
  return reply;
}

void fake_openai::complete(fake_reply& reply, const chat_facts& facts) {
  const auto lookup = [&](const std::string& name) -> std::optional<std::string> {
    if (name == "last_user")
      return facts.last_user;
    if (name == "tool_output")
      return facts.tool_output;
    if (name == "model")
      return facts.model;
    if (name == "call")
      return std::to_string(calls_);
    return std::nullopt;
  };
  for (auto* text : {&reply.text, &reply.refusal, &reply.reasoning})
    if (*text)
      *text = fill_variables(**text, lookup);
  if (!reply.text && !reply.refusal && reply.calls.empty())
    make_up(reply, facts);
  for (auto& call : reply.calls) {
    if (call.id.empty())
      call.id = "call_fake" + std::to_string(++ids_);
    if (call.raw)
      continue;
    auto arguments = nlohmann::ordered_json::parse(call.arguments);
    fill(arguments, lookup);
    call.arguments = arguments.dump();
  }
}

} // namespace sidevoice
