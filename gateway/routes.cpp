#include "gateway/routes.hpp"

#include "config/vendors.hpp"
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

json app_json(const app_definition& app, const live_settings& live) {
  auto topics = json::array();
  for (std::size_t i = 0; i < app.topics.size(); ++i)
    topics.push_back(topic_json(app.topics[i], i));
  return {{"id", app.id},
          {"title", app.title},
          {"language", app.language},
          {"page", {{"accent", app.page_accent}, {"notice", app.page_notice}}},
          {"topics", std::move(topics)},
          {"offline", speaks_offline(app, live)}};
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
  if (auto refused = refuse_key_in_url(request))
    return refused;
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

/// Ids of ours have 27 characters; whatever else is asked for is unknown without a look.
bool is_session_id(const std::string& id) {
  return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-';
  });
}

std::optional<http_response> refuse_key_in_url(const http_request& request) {
  for (const auto* name : {"key", "api_key", "apikey", "token", "access_token", "authorization"})
    if (request.query.contains(name))
      return bad_parameter(name,
                           "Keys are not taken from URLs, since URLs end up in logs. Send "
                           "`Authorization: Bearer KEY` or the subprotocol that browsers use.");
  return std::nullopt;
}

http_response refuse_limit(const std::string& code, std::string message,
                           std::chrono::milliseconds wait) {
  auto response = to_response({429, code, std::move(message)});
  const auto seconds =
    std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(wait).count());
  response.fields.push_back({"Retry-After", std::to_string(seconds)});
  return response;
}

router::router(router_parts parts)
    : parts_(std::move(parts)),
      auth_(parts_.apps, parts_.sealer, parts_.own, parts_.throttle, parts_.ring) {}

const std::vector<router::entry>& router::entries() {
  using guard = route::guard;
  static const std::vector<entry> all = {
    {{"/healthz", "GET, HEAD", guard::nobody}, &router::alive},
    {{"/readyz", "GET, HEAD", guard::nobody}, &router::ready},
    {{"/v1/apps", "GET, HEAD", guard::filter}, &router::list_apps},
    {{"/v1/realtime", "GET", guard::app}, &router::open_realtime},
    {{"/v1/realtime/client_secrets", "POST", guard::server_key}, &router::make_client_secret}};
  return all;
}

const std::vector<route>& router::table() {
  static const std::vector<route> all = [] {
    std::vector<route> routes;
    for (const auto& entry : entries())
      routes.push_back(entry.what);
    return routes;
  }();
  return all;
}

void router::set_ready(bool ready, std::string reason) {
  const std::lock_guard lock{ready_mutex_};
  if (stopping_)
    return;
  ready_ = ready;
  not_ready_because_ = std::move(reason);
}

void router::stop() {
  const std::lock_guard lock{ready_mutex_};
  stopping_ = true;
  ready_ = false;
  not_ready_because_ = "stopping";
}

// -- which path is what --------------------------------------------------------------------------

route_answer router::handle(const http_request& request, request_time at) {
  // Whoever watches the server must not be taken for a flood.
  if (request.path != "/healthz" && request.path != "/readyz")
    if (auto refused = over_limit(request, at))
      return std::move(*refused);
  return dispatch(request, at);
}

std::optional<http_response> router::over_limit(const http_request& request, request_time at) {
  std::chrono::milliseconds wait{0};
  {
    const std::lock_guard lock{rates_mutex_};
    wait = requests_.take(account_of(request.remote), parts_.limits.requests, at.now);
  }
  // The backend of a site asks for all of its visitors.
  if (wait.count() == 0 || auth_.has_server_key(request, at))
    return std::nullopt;
  return refuse_limit("request_rate_limit", "Too many requests come from this address.", wait);
}

route_answer router::dispatch(const http_request& request, request_time at) {
  if (request.method == "TRACE" || request.method == "CONNECT")
    return method_not_allowed("GET, HEAD");
  for (const auto& entry : entries()) {
    if (entry.what.path != request.path)
      continue;
    const auto& allow = entry.what.allow;
    const auto known = allow == request.method || (is_get(request) && allow == "GET, HEAD");
    return known ? (this->*entry.answer)(request, at) : method_not_allowed(allow);
  }
  auto file = parts_.files.find(request);
  if (!file)
    return not_found();
  if (!is_get(request))
    return method_not_allowed("GET, HEAD");
  return std::move(*file);
}

// -- answers -------------------------------------------------------------------------------------

route_answer router::alive(const http_request& /*request*/, request_time /*at*/) {
  return json_response(200, json{{"status", "ok"}}.dump());
}

route_answer router::ready(const http_request& /*request*/, request_time /*at*/) {
  const std::lock_guard lock{ready_mutex_};
  if (ready_)
    return json_response(200, json{{"ready", true}}.dump());
  const json body = {{"ready", false}, {"reasons", json::array({not_ready_because_})}};
  auto response = json_response(503, body.dump());
  response.fields.push_back({"Retry-After", "1"});
  return response;
}

route_answer router::list_apps(const http_request& request, request_time at) {
  const auto apps = auth_.visible(request, at);
  auto list = json::array();
  for (const auto& app : apps)
    list.push_back(app_json(*app, *parts_.apps->live_of(app->id)));
  auto response = json_response(200, json{{"apps", std::move(list)}}.dump());
  response.fields.push_back({"Vary", "Origin, Authorization"});
  if (const auto* origin = request.find("Origin"); origin != nullptr && !apps.empty())
    response.fields.push_back({"Access-Control-Allow-Origin", *origin});
  return response;
}

std::optional<http_response> router::refuse_upgrade() const {
  {
    const std::lock_guard lock{ready_mutex_};
    if (!stopping_)
      return std::nullopt;
  }
  auto response =
    to_response({503, "restarting",
                 "The server is about to restart. Sessions are kept: try again in a moment."});
  response.fields.push_back({"Retry-After", std::to_string(1 + parts_.ids->random() % 3)});
  response.close = true;
  return response;
}

/// Clients that come back to a session they have are always let in.
std::optional<http_response> router::over_load(const access_grant& grant,
                                               const open_session& opened) const {
  if (!parts_.refuse_newcomer || !opened.create || opened.perhaps_new || grant.visitor)
    return std::nullopt;
  return parts_.refuse_newcomer(grant.by == access_grant::kind::anonymous ? newcomer::stranger
                                                                          : newcomer::keyed);
}

route_answer router::open_realtime(const http_request& request, request_time at) {
  // A browser's WebSocket says nothing about why it was refused, so pages ask again by a plain GET:
  // that one is told of everything else before it is told to upgrade.
  auto refused = check_upgrade(request);
  if (refused && wants_websocket(request))
    return std::move(*refused);
  if (!refused)
    if (auto going = refuse_upgrade())
      return std::move(*going);
  if (auto bad_query = check_realtime_query(request))
    return std::move(*bad_query);
  auto decision = auth_.admit(request, request.parameter("model"), at);
  if (auto* denied = std::get_if<http_response>(&decision))
    return std::move(*denied);
  const auto& grant = std::get<access_grant>(decision);
  auto answer = bind_session(request, grant);
  auto* opened = std::get_if<open_session>(&answer);
  if (opened == nullptr)
    return answer;
  if (refused && parts_.damaged != nullptr)
    if (auto damaged = parts_.damaged->refusal({opened->app->id, opened->session}))
      return std::move(*damaged);
  if (refused)
    return std::move(*refused);
  // Before anything of the visitor's own limits is used up.
  if (auto full = over_load(grant, *opened))
    return std::move(*full);
  return begin(request, grant, std::move(*opened), at);
}

route_answer router::bind_session(const http_request& request, const access_grant& grant) {
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
      opened.perhaps_new = !grant.visitor;
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
  // An app whose file is gone keeps its sessions and begins no others.
  if (!parts_.apps->is_open(grant.app->id)) {
    if (asked.empty() && grant.by != access_grant::kind::client_key)
      return refuse_model();
    opened.create = false;
  }
  opened.app = grant.app;
  opened.user = grant.user;
  opened.locale = tame(request.parameter("locale"), grant.app->language);
  opened.zone = tame(request.parameter("zone"), "UTC");
  opened.subprotocol = choose_protocol(request);
  opened.extensions = opened.subprotocol == "sidevoice.v1"
                      || request.parameter("extensions") == "sidevoice";
  opened.by_server_key = grant.by == access_grant::kind::server_key;
  opened.preset = grant.preset;
  opened.key = grant.key;
  return opened;
}

route_answer router::begin(const http_request& request, const access_grant& grant,
                           open_session opened, request_time at) {
  const auto live = parts_.apps->live_of(grant.app->id);
  const auto anonymous = grant.by == access_grant::kind::anonymous;
  if (const auto& hourly = live->limits.sessions_per_address_per_hour; anonymous && hourly) {
    const std::lock_guard lock{rates_mutex_};
    const auto wait = sessions_.take(grant.app->id + ' ' + account_of(request.remote),
                                     limit_per(*hourly, std::chrono::hours{1}), at.now);
    if (wait.count() > 0)
      return refuse_limit("sessions_per_hour_limit",
                          "Too many conversations were begun from this address.", wait);
  }
  // A key that a site's backend made is renewed by it; ours we renew, under the same id.
  if (!anonymous && !grant.visitor)
    return opened;
  if (!live->is_public || !opened.extensions)
    return opened;
  if (opened.key.empty())
    opened.key = parts_.ids->make("ck_");
  opened.client_key = parts_.sealer.seal({.app = grant.app->id,
                                          .session = opened.session,
                                          .user = {},
                                          .expires_s = at.unix_s + parts_.client_key_life.count(),
                                          .id = opened.key,
                                          .visitor = true});
  return opened;
}

} // namespace sidevoice
