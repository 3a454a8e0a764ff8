#include "gateway/auth.hpp"

#include <sodium.h>

#include <algorithm>

namespace sidevoice {

namespace {

constexpr std::string_view key_protocol = "openai-insecure-api-key.";
constexpr std::size_t key_bytes_max = key_sealer::text_bytes_max;

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

const std::string& id_of(const app_entry& entry) {
  return (entry.stable ? entry.stable : entry.preview)->id;
}

} // namespace

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

authenticator::authenticator(const app_registry* apps, key_sealer sealer, own_address own,
                             failure_throttle::options throttle, const key_ring* ring)
    : apps_(apps),
      ring_(ring),
      sealer_(std::move(sealer)),
      own_(std::move(own)),
      throttle_(throttle) {
  ::randombytes_buf(salt_.data(), salt_.size());
}

std::shared_ptr<const std::vector<authenticator::known_key>> authenticator::known_keys() const {
  const std::lock_guard lock{keys_mutex_};
  const key_versions versions{apps_->version(), ring_ == nullptr ? 0 : ring_->version()};
  if (keys_ && keys_versions_ == versions)
    return keys_;
  auto keys = std::make_shared<std::vector<known_key>>();
  for (const auto& [id, entry] : *apps_->all())
    for (const auto& key : entry.live->server_keys)
      if (!key.empty()) // an unset variable must not open the app to empty keys
        keys->push_back({hash_of(digest_of_key(key)), id, {}, 0});
  if (ring_ != nullptr)
    for (const auto& key : ring_->now()->server_keys)
      keys->push_back({hash_of(key.digest), key.app, key.id, key.expires_at});
  keys_ = std::move(keys);
  keys_versions_ = versions;
  return keys_;
}

authenticator::key_hash authenticator::hash_of(const key_digest& digest) const {
  key_hash hash{};
  ::crypto_generichash(hash.data(), hash.size(), digest.data(), digest.size(), salt_.data(),
                       salt_.size());
  return hash;
}

authenticator::holder authenticator::find_holder(std::string_view key, std::int64_t unix_s) const {
  holder found;
  if (key.empty() || key.size() > key_bytes_max)
    return found;
  const auto hash = hash_of(digest_of_key(key));
  const auto keys = known_keys();
  for (const auto& known : *keys) { // all of them: how long it takes says nothing
    if (::sodium_memcmp(hash.data(), known.hash.data(), hash.size()) != 0)
      continue;
    if (known.expires_at != 0 && known.expires_at <= unix_s * 1000)
      continue;
    if (auto app = find_app(known.app)) {
      found.apps.push_back(std::move(*app));
      found.key = known.id;
    }
  }
  if (!found.apps.empty() || !looks_like_client_key(key))
    return found;
  auto sealed = sealer_.unseal(key, unix_s);
  if (!sealed || (ring_ != nullptr && ring_->is_revoked(sealed->app, sealed->id)))
    return found;
  if (auto app = find_app(sealed->app))
    found.apps.push_back(std::move(*app));
  found.bound = std::move(*sealed);
  return found;
}

std::optional<app_entry> authenticator::find_app(const std::string& id) const {
  const auto all = apps_->all();
  const auto found = all->find(id);
  return found == all->end() ? std::nullopt : std::optional{found->second};
}

access_decision authenticator::admit(const http_request& request, const std::string& model,
                                     request_time at) {
  const auto key = read_credential(request);
  return key ? admit_key(request, model, *key, at) : admit_anonymous(request, model);
}

std::variant<authenticator::holder, http_response>
authenticator::judge_key(const http_request& request, std::string_view key, request_time at) {
  {
    const std::lock_guard lock{throttle_mutex_};
    if (const auto wait = throttle_.wait(request.remote, at.now); wait.count() > 0)
      return refuse_haste(wait);
  }
  auto who = find_holder(key, at.unix_s);
  if (who.apps.empty()) {
    const std::lock_guard lock{throttle_mutex_};
    throttle_.failed(request.remote, at.now);
    return refuse_key();
  }
  return who;
}

access_decision authenticator::admit_key(const http_request& request, const std::string& model,
                                         std::string_view key, request_time at) {
  auto judged = judge_key(request, key, at);
  if (auto* refused = std::get_if<http_response>(&judged))
    return std::move(*refused);
  const auto& who = std::get<holder>(judged);
  auto name = split(model);
  if (who.bound && !who.bound->release.empty()) {
    if (!name.release.empty() && name.release != who.bound->release)
      return refuse_model();
    name.release = who.bound->release;
  }
  const auto app = std::find_if(who.apps.begin(), who.apps.end(),
                                [&name](const auto& a) { return id_of(a) == name.app; });
  const auto release = app == who.apps.end() ? nullptr : app->release(name.release);
  if (!release)
    return refuse_model();
  if (!may_use(request, *app->live))
    return refuse_origin();
  if (!who.bound)
    return access_grant{release, access_grant::kind::server_key, {}, {}, who.key, {}, false};
  const auto& bound = *who.bound;
  return access_grant{release,       access_grant::kind::client_key,
                      bound.session, bound.user,
                      bound.id,      bound.preset,
                      bound.visitor};
}

server_decision authenticator::admit_server(const http_request& request, request_time at) {
  const auto key = read_credential(request);
  if (!key)
    return refuse_key();
  auto judged = judge_key(request, *key, at);
  if (auto* refused = std::get_if<http_response>(&judged))
    return std::move(*refused);
  auto& who = std::get<holder>(judged);
  if (who.bound) // says no more than to a key that is none
    return refuse_key();
  return server_grant{std::move(who.apps)};
}

bool authenticator::has_server_key(const http_request& request, request_time at) const {
  const auto key = read_credential(request);
  if (!key)
    return false;
  const auto who = find_holder(*key, at.unix_s);
  return !who.apps.empty() && !who.bound;
}

bool authenticator::may_use(const http_request& request, const live_settings& live) const {
  return judge_origin(request, live, own_) != origin_verdict::foreign;
}

access_decision authenticator::admit_anonymous(const http_request& request,
                                               const std::string& model) const {
  const auto name = split(model);
  const auto app = find_app(name.app);
  // Without a key a private app looks like none: its name is its tenant's.
  if (!app || !app->live->is_public)
    return refuse_key();
  switch (judge_origin(request, *app->live, own_)) {
    case origin_verdict::foreign:
      return refuse_origin();
    case origin_verdict::remote_program:
      return refuse_key();
    case origin_verdict::listed:
    case origin_verdict::local_program:
      break;
  }
  const auto release = app->release(name.release);
  if (!release)
    return refuse_model();
  return access_grant{release, access_grant::kind::anonymous, {}, {}, {}, {}, false};
}

std::vector<app_ptr> authenticator::visible(const http_request& request, request_time at) {
  std::vector<app_ptr> found;
  const auto key = read_credential(request);
  for (const auto& [id, app] : *apps_->all()) {
    if (!app.open)
      continue;
    // A page asks its own server without an Origin, so none means no less than the listed one here.
    const auto open = app.live->is_public
                      && judge_origin(request, *app.live, own_) != origin_verdict::foreign;
    if (open)
      found.push_back(app.release({}));
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
    if (auto release = app.release({});
        app.open && std::find(found.begin(), found.end(), release) == found.end()
        && judge_origin(request, *app.live, own_) != origin_verdict::foreign)
      found.push_back(std::move(release));
  return found;
}

} // namespace sidevoice
