#include "gateway/auth.hpp"

#include <sodium.h>

#include <algorithm>

namespace sidevoice {

namespace {

constexpr std::string_view key_protocol = "openai-insecure-api-key.";
constexpr std::size_t key_bytes_max = 4096;

http_response refuse_key() {
  auto response = to_response({401, "invalid_api_key",
                               "The key is missing or not valid here. Send a key of this app as "
                               "`Authorization: Bearer KEY`."});
  response.fields.push_back({"WWW-Authenticate", "Bearer"});
  return response;
}

http_response refuse_model() {
  return to_response({404, "model_not_found",
                      "There is no such app or release, or the key is not for it. The `model` is "
                      "the app's name: GET /v1/apps lists the ones you may use.",
                      "model"});
}

http_response refuse_origin() {
  return to_response({403, "origin_not_allowed",
                      "Pages of this origin may not use the app. Its operator can list the origin, "
                      "exactly, under live.access.origins."});
}

http_response refuse_haste(std::chrono::milliseconds wait) {
  auto response = to_response(
    {429, "rate_limit_exceeded", "Too many wrong keys came from this address. Try again later."});
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait).count();
  response.fields.push_back({"Retry-After", std::to_string(seconds)});
  return response;
}

struct model_name {
  std::string app;
  std::string release;
};

model_name split(const std::string& model) {
  const auto at = model.find('@');
  if (at == std::string::npos)
    return {model, {}};
  return {model.substr(0, at), model.substr(at + 1)};
}

/// A node runs one release of each app: `stable`, also known by its digest.
bool runs_release(const app_definition& app, const std::string& release) {
  return release.empty() || release == "stable" || release == app.release;
}

} // namespace

std::optional<std::string> read_credential(const http_request& request) {
  if (const auto* header = request.find("Authorization")) {
    const auto space = header->find(' ');
    if (space == std::string::npos
        || !equal_ignoring_case(std::string_view{*header}.substr(0, space), "Bearer"))
      return std::string{};
    const auto begin = header->find_first_not_of(' ', space);
    return begin == std::string::npos ? std::string{} : header->substr(begin);
  }
  for (const auto& protocol : list_of(request, "Sec-WebSocket-Protocol"))
    if (protocol.starts_with(key_protocol))
      return protocol.substr(key_protocol.size());
  return std::nullopt;
}

authenticator::authenticator(std::vector<app_ptr> apps, key_sealer sealer, own_address own,
                             failure_throttle::options throttle)
    : apps_(std::move(apps)),
      sealer_(std::move(sealer)),
      own_(std::move(own)),
      throttle_(throttle) {
  ::randombytes_buf(salt_.data(), salt_.size());
  for (const auto& app : apps_)
    for (const auto& key : app->server_keys)
      if (!key.empty()) // an unset variable must not open the app to empty keys
        keys_.push_back({hash_of(key), app});
}

authenticator::key_hash authenticator::hash_of(std::string_view key) const {
  key_hash hash{};
  ::crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(key.data()),
                       key.size(), salt_.data(), salt_.size());
  return hash;
}

authenticator::holder authenticator::find_holder(std::string_view key, std::int64_t unix_s) const {
  holder found;
  if (key.empty() || key.size() > key_bytes_max)
    return found;
  const auto hash = hash_of(key);
  for (const auto& known : keys_) // all of them: how long it takes says nothing
    if (::sodium_memcmp(hash.data(), known.hash.data(), hash.size()) == 0)
      found.apps.push_back(known.app);
  if (!found.apps.empty() || !looks_like_client_key(key))
    return found;
  if (auto sealed = sealer_.unseal(key, unix_s)) {
    if (auto app = find_app(sealed->app))
      found.apps.push_back(std::move(app));
    found.bound = std::move(*sealed);
  }
  return found;
}

app_ptr authenticator::find_app(const std::string& id) const {
  const auto found = std::find_if(apps_.begin(), apps_.end(),
                                  [&id](const auto& app) { return app->id == id; });
  return found == apps_.end() ? nullptr : *found;
}

access_decision authenticator::admit(const http_request& request, const std::string& model,
                                     request_time at) {
  const auto key = read_credential(request);
  return key ? admit_key(request, model, *key, at) : admit_anonymous(request, model);
}

access_decision authenticator::admit_key(const http_request& request, const std::string& model,
                                         std::string_view key, request_time at) {
  {
    const std::lock_guard lock{throttle_mutex_};
    if (const auto wait = throttle_.wait(request.remote, at.now); wait.count() > 0)
      return refuse_haste(wait);
  }
  const auto who = find_holder(key, at.unix_s);
  if (who.apps.empty()) {
    const std::lock_guard lock{throttle_mutex_};
    throttle_.failed(request.remote, at.now);
    return refuse_key();
  }
  const auto name = split(model);
  const auto app = std::find_if(who.apps.begin(), who.apps.end(),
                                [&name](const auto& a) { return a->id == name.app; });
  if (app == who.apps.end() || !runs_release(**app, name.release))
    return refuse_model();
  if (judge_origin(request, **app, own_) == origin_verdict::foreign)
    return refuse_origin();
  if (!who.bound)
    return access_grant{*app, access_grant::kind::server_key, {}, {}};
  return access_grant{*app, access_grant::kind::client_key, who.bound->session, who.bound->user};
}

access_decision authenticator::admit_anonymous(const http_request& request,
                                               const std::string& model) const {
  const auto name = split(model);
  const auto app = find_app(name.app);
  // Without a key a private app looks like none: its name is its tenant's.
  if (!app || !app->is_public)
    return refuse_key();
  switch (judge_origin(request, *app, own_)) {
    case origin_verdict::foreign:
      return refuse_origin();
    case origin_verdict::remote_program:
      return refuse_key();
    case origin_verdict::listed:
    case origin_verdict::local_program:
      break;
  }
  if (!runs_release(*app, name.release))
    return refuse_model();
  return access_grant{app, access_grant::kind::anonymous, {}, {}};
}

std::vector<app_ptr> authenticator::visible(const http_request& request, request_time at) {
  std::vector<app_ptr> found;
  const auto key = read_credential(request);
  for (const auto& app : apps_) {
    // A page asks its own server without an Origin, so none means no less than the listed one here.
    const auto open = app->is_public
                      && judge_origin(request, *app, own_) != origin_verdict::foreign;
    if (open)
      found.push_back(app);
  }
  if (!key)
    return found;
  const std::lock_guard lock{throttle_mutex_};
  if (throttle_.wait(request.remote, at.now).count() > 0)
    return found;
  const auto who = find_holder(*key, at.unix_s);
  if (who.apps.empty())
    throttle_.failed(request.remote, at.now);
  for (const auto& app : who.apps)
    if (std::find(found.begin(), found.end(), app) == found.end()
        && judge_origin(request, *app, own_) != origin_verdict::foreign)
      found.push_back(app);
  return found;
}

} // namespace sidevoice
