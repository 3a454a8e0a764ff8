#pragma once

#include "actors/parts.hpp"
#include "config/app.hpp"

#include <memory>
#include <string>
#include <vector>

/// The engines that an app hears and speaks with, in the order of its file.
namespace sidevoice {

/// What a provider of this vendor is made with.
provider_context speech_context(const node_parts& parts, const std::string& app,
                                const std::string& vendor);

/// Those whose vendor is configured. The options of "local" ones know the app's voice.
std::vector<model_choice> hearing_engines(const node_parts& parts, const app_definition& app);
std::vector<model_choice> speaking_engines(const node_parts& parts, const app_definition& app);

/// Error `unavailable`, reason "voice_unavailable": no engine can be had; the detail says what is
/// missing and how to get it.
result<void> can_hear(const node_parts& parts, const app_definition& app,
                      const std::string& language);
result<void> can_speak(const node_parts& parts, const app_definition& app,
                       const std::string& language);

/// The language that a session of this locale is talked in: one of the app's, "en" of "en-GB";
/// else the app's first.
std::string spoken_language(const app_definition& app, const std::string& locale);

/// "deepgram:nova-3" or "local", for logs.
std::string name_of(const model_choice& choice);

} // namespace sidevoice
