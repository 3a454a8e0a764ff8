#include "actors/speech_line.hpp"

#include "config/vendors.hpp"
#include "providers/speech/gap_error.hpp"

#include <algorithm>
#include <optional>

namespace sidevoice {

provider_context speech_context(const node_parts& parts, const std::string& app,
                                const std::string& vendor) {
  provider_context context{*parts.where, *parts.ids, *parts.count, parts.http};
  const auto live = parts.live_of(app);
  context.failover = live->failover;
  if (const auto known = live->vendors.find(vendor); known != live->vendors.end())
    context.account = known->second;
  context.speech = parts.speech;
  return context;
}

std::vector<model_choice> hearing_engines(const node_parts& parts, const app_definition& app) {
  return usable_models(app.stt_models, *parts.live_of(app.id));
}

std::vector<model_choice> speaking_engines(const node_parts& parts, const app_definition& app) {
  return usable_models(app.tts_models, *parts.live_of(app.id));
}

std::string spoken_language(const app_definition& app, const std::string& locale) {
  auto language = locale.substr(0, locale.find_first_of("-_"));
  const auto& also = app.other_languages;
  const auto known = language == app.language
                     || std::find(also.begin(), also.end(), language) != also.end();
  return known && !language.empty() ? language : app.language;
}

namespace {

error unavailable(const std::string& why) {
  return {errc::unavailable, why, {}, "voice_unavailable"};
}

/// The engines of this machine know one language.
std::optional<error> wrong_language(const model_choice& choice, const std::string& language) {
  if (choice.vendor != "local" || language == "en")
    return std::nullopt;
  return unavailable("the speech engines of this machine know English only, and this conversation "
                     "is in \""
                     + language
                     + "\"; name a vendor that knows it in models.stt and "
                       "models.tts");
}

/// The node's own engine, whose models may be missing.
bool is_local(const model_choice& choice) {
  return choice.vendor == "local";
}

} // namespace

result<void> can_hear(const node_parts& parts, const app_definition& app,
                      const std::string& language) {
  auto why = unavailable("the app names no engine that can hear (models.stt)");
  for (const auto& choice : hearing_engines(parts, app)) {
    if (auto wrong = wrong_language(choice, language)) {
      why = *wrong;
      continue;
    }
    const auto made = parts.providers->make_stt(choice,
                                                speech_context(parts, app.id, choice.vendor));
    if (!made)
      why = unavailable(made.error().detail);
    else if (is_local(choice) && parts.speech != nullptr && parts.speech->stt() == nullptr)
      why = unavailable(gap_error(parts.speech, "stt", "speech to text on this machine").detail);
    else
      return {};
  }
  return why;
}

result<void> can_speak(const node_parts& parts, const app_definition& app,
                       const std::string& language) {
  auto why = unavailable("the app names no engine that can speak (models.tts)");
  for (const auto& choice : speaking_engines(parts, app)) {
    if (auto wrong = wrong_language(choice, language)) {
      why = *wrong;
      continue;
    }
    const auto made = parts.providers->make_tts(choice,
                                                speech_context(parts, app.id, choice.vendor));
    if (!made)
      why = unavailable(made.error().detail);
    else if (is_local(choice) && parts.speech != nullptr && parts.speech->tts() == nullptr)
      why = unavailable(gap_error(parts.speech, "tts", "voice on this machine").detail);
    else
      return {};
  }
  return why;
}

std::string name_of(const model_choice& choice) {
  return choice.model.empty() ? choice.vendor : choice.vendor + ':' + choice.model;
}

} // namespace sidevoice
