#include "gateway/client_secrets.hpp"
#include "gateway/realtime_session.hpp"
#include "gateway/routes.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

/// Client keys for the visitors of a site, made by its backend.
namespace sidevoice {

namespace {

http_response refuse(const realtime_fault& wrong) {
  return to_response({400, wrong.code, wrong.message, wrong.param});
}

const std::string& id_of(const app_entry& entry) {
  return (entry.stable ? entry.stable : entry.preview)->id;
}

struct chosen_app {
  const app_entry* entry = nullptr;
  app_ptr release;
  /// As the key will say it; empty: what new sessions get.
  std::string release_name;
};

/// `model` is "app" or "app@release"; empty: the only app of the key.
std::optional<chosen_app> choose(const server_grant& grant, const std::string& model,
                                 const std::string& release) {
  const auto at = model.find('@');
  const auto app = model.substr(0, at);
  chosen_app chosen;
  chosen.release_name = at == std::string::npos ? release : model.substr(at + 1);
  if (at != std::string::npos && !release.empty() && release != chosen.release_name)
    return std::nullopt;
  if (app.empty() && grant.apps.size() == 1)
    chosen.entry = &grant.apps.front();
  for (const auto& entry : grant.apps)
    if (id_of(entry) == app)
      chosen.entry = &entry;
  if (chosen.entry != nullptr)
    chosen.release = chosen.entry->release(chosen.release_name);
  return chosen.release ? std::optional{chosen} : std::nullopt;
}

} // namespace

route_answer router::make_client_secret(const http_request& request, request_time at) {
  if (auto refused = refuse_key_in_url(request))
    return std::move(*refused);
  auto decision = auth_.admit_server(request, at);
  if (auto* denied = std::get_if<http_response>(&decision))
    return std::move(*denied);
  auto read = read_secret_request(request.body);
  if (const auto* wrong = std::get_if<realtime_fault>(&read))
    return refuse(*wrong);
  const auto& wish = std::get<secret_request>(read);
  const auto& model = wish.model.empty() ? request.parameter("model") : wish.model;
  const auto chosen = choose(std::get<server_grant>(decision), model, wish.release);
  if (!chosen || (wish.session.empty() && !parts_.apps->is_open(chosen->release->id)))
    return refuse_model();
  if (!auth_.may_use(request, *chosen->entry->live))
    return refuse_origin();
  if (!wish.session.empty() && !is_session_id(wish.session))
    return refuse({"invalid_value",
                   "'sidevoice.session' must have 1 to 64 letters, digits, '_' and '-', such as "
                   "the `id` of a session that there is; or leave it out.",
                   "sidevoice.session"});
  client_key key{.app = chosen->release->id,
                 .session = wish.session.empty() ? parts_.ids->make("sess_") : wish.session,
                 .user = wish.user,
                 .expires_s = at.unix_s + wish.seconds,
                 .id = parts_.ids->make("ck_"),
                 .release = chosen->release_name,
                 .preset = wish.preset};
  realtime_session session{*chosen->release, key.session, {}, {.speaks = parts_.speaks}};
  if (!wish.preset.empty())
    if (const auto wrong = session.update(nlohmann::json::parse(wish.preset)))
      return refuse(*wrong);
  auto value = parts_.sealer.seal(key);
  if (value.size() > key_sealer::text_bytes_max)
    return refuse({"invalid_value",
                   "'session' is too large to travel in a client key, which has at most "
                     + std::to_string(key_sealer::text_bytes_max)
                     + " characters. Put long instructions into the app.",
                   "session"});
  auto response = json_response(200, to_json(secret_answer{.value = std::move(value),
                                                           .expires_s = key.expires_s,
                                                           .session = session.text(),
                                                           .id = key.id,
                                                           .app = key.app,
                                                           .session_id = key.session}));
  return response;
}

} // namespace sidevoice
