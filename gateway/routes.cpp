#include "gateway/routes.hpp"

#include "gateway/http_rules.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>

namespace sidevoice {

namespace {

using nlohmann::json;

http_response not_found() {
  return to_response({404, "not_found", "There is nothing at this path."});
}

http_response method_not_allowed(const std::string& allow) {
  auto response =
    to_response({405, "method_not_allowed", "This path knows only these methods: " + allow + "."});
  response.fields.push_back({"Allow", allow});
  return response;
}

http_response bad_parameter(const std::string& name, std::string message) {
  return to_response({400, "invalid_parameter", std::move(message), name});
}

http_response session_not_found() {
  return to_response({404, "session_not_found",
                      "There is no such session, or the key is not for it. Leave `session` away to "
                      "begin a new one.",
                      "session"});
}

bool is_get(const http_request& request) {
  return request.method == "GET" || request.method == "HEAD";
}

json topic_json(const topic_declaration& topic, std::size_t order) {
  return {{"id", topic.id},
          {"label", topic.label},
          {"type", to_string(topic.type)},
          {"required", topic.required},
          {"list", topic.list},
          {"order", order}};
}

/// The first model decides what a visitor talks to.
bool is_offline(const app_definition& app) {
  return app.conversation_models.empty() || app.conversation_models.front().vendor == "rules";
}

json app_json(const app_definition& app) {
  auto topics = json::array();
  for (std::size_t i = 0; i < app.topics.size(); ++i)
    topics.push_back(topic_json(app.topics[i], i));
  return {{"id", app.id},
          {"title", app.title},
          {"language", app.language},
          {"page", {{"accent", app.page_accent}, {"notice", app.page_notice}}},
          {"topics", std::move(topics)},
          {"offline", is_offline(app)}};
}

/// Ids of ours have 27 characters; whatever else is asked for is unknown without a look.
bool is_session_id(const std::string& id) {
  return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-';
  });
}

/// A language tag or a zone name as a browser gives it; anything else counts as not given.
std::string tame(const std::string& value, const std::string& fallback) {
  const auto good = !value.empty() && value.size() <= 64
                    && std::all_of(value.begin(), value.end(), [](unsigned char c) {
                         return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '/'
                                || c == '+';
                       });
  return good ? value : fallback;
}

/// The client's wishes that are refused before anybody is asked who he is.
std::optional<http_response> check_realtime_query(const http_request& request) {
  for (const auto* name : {"key", "api_key", "apikey", "token", "access_token", "authorization"})
    if (request.query.contains(name))
      return bad_parameter(name,
                           "Keys are not taken from URLs, since URLs end up in logs. Send "
                           "`Authorization: Bearer KEY` or the subprotocol that browsers use.");
  for (const auto* name : {"intent", "call_id"})
    if (request.query.contains(name))
      return bad_parameter(name, "Only conversations over this WebSocket are served here: leave "
                                 "this parameter away and name an app by `model`.");
  if (request.parameter("model").empty())
    return bad_parameter("model", "Name the app: /v1/realtime?model=APP.");
  const auto extensions = request.parameter("extensions");
  if (!extensions.empty() && extensions != "sidevoice")
    return bad_parameter("extensions", "The only extension is `sidevoice`.");
  return std::nullopt;
}

/// What is echoed of the subprotocols offered: never one that carries a key.
std::string choose_protocol(const http_request& request) {
  const auto offered = list_of(request, "Sec-WebSocket-Protocol");
  for (const auto* known : {"sidevoice.v1", "realtime"})
    if (std::find(offered.begin(), offered.end(), known) != offered.end())
      return known;
  return {};
}

} // namespace

router::router(router_parts parts)
    : parts_(std::move(parts)),
      auth_(parts_.apps, parts_.sealer, parts_.own, parts_.throttle) {}

void router::set_ready(bool ready, std::string reason) {
  const std::lock_guard lock{ready_mutex_};
  ready_ = ready;
  not_ready_because_ = std::move(reason);
}

http_response router::ready_response() const {
  const std::lock_guard lock{ready_mutex_};
  if (ready_)
    return json_response(200, json{{"ready", true}}.dump());
  const json body = {{"ready", false}, {"reasons", json::array({not_ready_because_})}};
  auto response = json_response(503, body.dump());
  response.fields.push_back({"Retry-After", "1"});
  return response;
}

http_response router::list_apps(const http_request& request, request_time at) {
  const auto apps = auth_.visible(request, at);
  auto list = json::array();
  for (const auto& app : apps)
    list.push_back(app_json(*app));
  auto response = json_response(200, json{{"apps", std::move(list)}}.dump());
  response.fields.push_back({"Vary", "Origin, Authorization"});
  if (const auto* origin = request.find("Origin"); origin != nullptr && !apps.empty())
    response.fields.push_back({"Access-Control-Allow-Origin", *origin});
  return response;
}

route_answer router::handle(const http_request& request, request_time at) {
  if (request.method == "TRACE" || request.method == "CONNECT")
    return method_not_allowed("GET, HEAD");
  if (request.path == "/v1/realtime") {
    if (request.method != "GET")
      return method_not_allowed("GET");
    return open_realtime(request, at);
  }
  const auto known = request.path == "/healthz" || request.path == "/readyz"
                     || request.path == "/v1/apps";
  if (known && !is_get(request))
    return method_not_allowed("GET, HEAD");
  if (request.path == "/healthz")
    return json_response(200, json{{"status", "ok"}}.dump());
  if (request.path == "/readyz")
    return ready_response();
  if (request.path == "/v1/apps")
    return list_apps(request, at);
  auto file = parts_.files.find(request);
  if (!file)
    return not_found();
  if (!is_get(request))
    return method_not_allowed("GET, HEAD");
  return std::move(*file);
}

route_answer router::open_realtime(const http_request& request, request_time at) {
  // A browser's WebSocket says nothing about why it was refused, so pages ask again by a plain GET:
  // that one is told of everything else before it is told to upgrade.
  auto refused = check_upgrade(request);
  if (refused && wants_websocket(request))
    return std::move(*refused);
  if (auto bad_query = check_realtime_query(request))
    return std::move(*bad_query);
  auto decision = auth_.admit(request, request.parameter("model"), at);
  if (auto* denied = std::get_if<http_response>(&decision))
    return std::move(*denied);
  auto answer = bind_session(request, std::get<access_grant>(decision), at);
  if (refused && std::holds_alternative<open_session>(answer))
    return std::move(*refused);
  return answer;
}

route_answer router::bind_session(const http_request& request, const access_grant& grant,
                                  request_time at) {
  const auto asked = request.parameter("session");
  open_session opened;
  opened.session = asked;
  switch (grant.by) {
    case access_grant::kind::server_key:
      break;
    case access_grant::kind::client_key:
      if (!asked.empty() && asked != grant.session)
        return session_not_found();
      opened.session = grant.session;
      // The seal vouches for the id, so a session whose first write never happened may begin again.
      opened.create = true;
      break;
    case access_grant::kind::anonymous:
      if (!asked.empty()) // an id alone opens nothing
        return session_not_found();
      break;
  }
  if (opened.session.empty()) {
    opened.session = parts_.ids->make("sess_");
    opened.create = true;
  } else if (!is_session_id(opened.session)) {
    return session_not_found();
  }
  opened.app = grant.app;
  opened.user = grant.user;
  opened.locale = tame(request.parameter("locale"), grant.app->language);
  opened.zone = tame(request.parameter("zone"), "UTC");
  opened.subprotocol = choose_protocol(request);
  opened.extensions = opened.subprotocol == "sidevoice.v1"
                      || request.parameter("extensions") == "sidevoice";
  opened.may_set_instructions = grant.by == access_grant::kind::server_key;
  const auto is_visitor = grant.by != access_grant::kind::server_key && grant.user.empty();
  if (is_visitor && grant.app->is_public && opened.extensions)
    opened.client_key =
      parts_.sealer.seal({.app = grant.app->id,
                          .session = opened.session,
                          .user = {},
                          .expires_s = at.unix_s + parts_.client_key_life.count()});
  return opened;
}

} // namespace sidevoice
