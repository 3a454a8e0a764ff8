#include "config/vendors.hpp"
#include "tests/config/app_support.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace sidevoice;
using namespace sidevoice::test;
using namespace std::chrono_literals;

namespace {

app_load load_good(const std::string& text) {
  auto loaded = load_text(text);
  INFO(listing(loaded.faults));
  REQUIRE(loaded.app);
  return loaded;
}

/// What is said of this key; empty: nothing.
std::string said_of(const app_load& loaded, const std::string& key) {
  for (const auto& fault : loaded.faults)
    if (fault.key == key)
      return (fault.warning ? "warning: " : "fault: ") + fault.found + ": " + fault.remedy;
  return {};
}

const model_choice local{"local", "", R"({"vendor":"local"})"};

} // namespace

TEST_CASE("without a word about voice an app talks by the defaults and the local engines") {
  const auto loaded = load_good(with(R"("title": "t")"));
  const auto& voice = loaded.app->voice;
  CHECK(voice == voice_settings{});
  CHECK(voice.turns.mode == turn_mode::silence);
  CHECK(voice.turns.threshold == 0.5);
  CHECK(voice.turns.prefix_padding == 300ms);
  CHECK(voice.turns.silence_duration == 500ms);
  CHECK(voice.turns.eagerness == "auto");
  CHECK(voice.turns.create_response);
  CHECK(voice.turns.interrupt_response);
  CHECK_FALSE(voice.turns.idle_timeout);
  CHECK(voice.barge_in.min_speech == 200ms);
  CHECK(voice.barge_in.ignore.size() == 10);
  CHECK(voice.barge_in.ignore.front() == "mhm");
  CHECK(voice.barge_in.resume_after_false);
  CHECK_FALSE(voice.dead_air);
  CHECK_FALSE(voice.visitor_silent);
  CHECK(loaded.app->stt_models == std::vector<model_choice>{local});
  CHECK(loaded.app->tts_models == std::vector<model_choice>{local});
  CHECK(loaded.faults.empty());
}

TEST_CASE("empty objects mean the defaults, too") {
  const auto loaded = load_good(with(R"("voice": { "turn_detection": {}, "barge_in": {} })"));
  CHECK(loaded.app->voice == voice_settings{});
  CHECK(loaded.faults.empty());
}

TEST_CASE("all keys of voice are read, and none has a warning") {
  const auto loaded = load_good(with(R"("voice": {
    "turn_detection": { "type": "semantic_vad", "threshold": 0.7, "prefix_padding_ms": 100,
                        "silence_duration_ms": 900, "eagerness": "low" },
    "barge_in": { "min_speech_ms": 350, "ignore": ["aha", "genau"], "resume_after_false": false },
    "dead_air": { "after_ms": 1500, "say": "One moment." },
    "visitor_silent": { "after_s": 12, "say": "Are you there?", "times": 3 } })"));
  const auto& voice = loaded.app->voice;
  CHECK(voice.turns.mode == turn_mode::semantic);
  CHECK(voice.turns.threshold == 0.7);
  CHECK(voice.turns.prefix_padding == 100ms);
  CHECK(voice.turns.silence_duration == 900ms);
  CHECK(voice.turns.eagerness == "low");
  CHECK(voice.barge_in.min_speech == 350ms);
  CHECK(voice.barge_in.ignore == std::vector<std::string>{"aha", "genau"});
  CHECK_FALSE(voice.barge_in.resume_after_false);
  CHECK(voice.dead_air == dead_air_settings{1500ms, "One moment."});
  CHECK(voice.visitor_silent == visitor_silent_settings{12s, "Are you there?", 3});
  CHECK(loaded.faults.empty());
}

TEST_CASE("each kind of turn detection has its mode") {
  const auto mode_of = [](const std::string& type) {
    return load_good(with(R"("voice": { "turn_detection": { "type": ")" + type + R"(" } })"))
      .app->voice.turns.mode;
  };
  CHECK(mode_of("server_vad") == turn_mode::silence);
  CHECK(mode_of("semantic_vad") == turn_mode::semantic);
  CHECK(mode_of("none") == turn_mode::manual);
}

TEST_CASE("an empty list of words to ignore ignores none") {
  CHECK(load_good(with(R"("voice": { "barge_in": { "ignore": [] } })"))
          .app->voice.barge_in.ignore.empty());
}

TEST_CASE("what is left out of dead_air and visitor_silent has defaults, but words for the first") {
  const auto loaded =
    load_good(with(R"("voice": { "dead_air": {}, "visitor_silent": { "times": 0 } })"));
  CHECK(loaded.app->voice.dead_air == dead_air_settings{});
  CHECK(loaded.app->voice.dead_air->after == 2500ms);
  CHECK(loaded.app->voice.visitor_silent == visitor_silent_settings{20s, "", 0});
  CHECK(said_of(loaded, "voice.dead_air").starts_with("warning: nothing to say"));
  CHECK(loaded.faults.size() == 1);
}

TEST_CASE("voice belongs to the release") {
  const auto release = [](const std::string& members) {
    return load_good(with(members)).app->release;
  };
  const auto base = release(R"("title": "t")");
  CHECK(base != release(R"("title": "t", "voice": { "barge_in": { "min_speech_ms": 300 } })"));
  CHECK(base != release(R"("title": "t", "models": { "tts": ["local"] })"));
}

TEST_CASE("engines are read with their options, in the order of trying") {
  const auto loaded = load_good(with(R"("models": {
    "stt": ["deepgram:nova-3", "local"],
    "tts": [{ "vendor": "local", "voice": "rms", "speed": 1.1 }] })"));
  REQUIRE(loaded.app->stt_models.size() == 2);
  CHECK(loaded.app->stt_models[0].vendor == "deepgram");
  CHECK(loaded.app->stt_models[0].model == "nova-3");
  CHECK(loaded.app->stt_models[1] == local);
  REQUIRE(loaded.app->tts_models.size() == 1);
  CHECK(loaded.app->tts_models[0].vendor == "local");
  CHECK(loaded.app->tts_models[0].options == R"({"speed":1.1,"vendor":"local","voice":"rms"})");
}

TEST_CASE("a speech vendor that is not in this version is named at its place in the list") {
  const auto loaded = load_good(with(R"("models": {
    "stt": ["deepgram:nova-3", "azure", { "vendor": "openai", "model": "x" }, "local"],
    "tts": ["cartesia:sonic-2", "deepgram", "local"] })"));
  const std::string takes_over = "not in this version; the next one in the list takes over";
  CHECK(said_of(loaded, "models.stt[0]") == "warning: \"deepgram\": " + takes_over);
  CHECK(said_of(loaded, "models.stt[1]") == "warning: \"azure\": " + takes_over);
  CHECK(said_of(loaded, "models.stt[2]") == "warning: \"openai\": " + takes_over);
  CHECK(said_of(loaded, "models.tts[0]") == "warning: \"cartesia\": " + takes_over);
  CHECK(said_of(loaded, "models.tts[1]") == "warning: \"deepgram\": " + takes_over);
  CHECK(loaded.faults.size() == 5);
  CHECK(load_good(with(R"("models": { "stt": ["local"], "tts": ["local"] })")).faults.empty());
}

TEST_CASE("a list without any engine of this version says that there is no voice") {
  const auto loaded = load_good(with(R"("models": { "stt": ["deepgram"] })"));
  CHECK(said_of(loaded, "models.stt[0]").find("add \"local\"") != std::string::npos);
  CHECK(usable_models(loaded.app->stt_models, *loaded.live).empty());
}

TEST_CASE("a limit of voice sessions is read, and has effect") {
  const auto loaded = load_good(with(R"("live": { "limits": { "voice_sessions": 3 } })"));
  CHECK(loaded.live->limits.voice_sessions == 3);
  CHECK(loaded.faults.empty());
}

TEST_CASE("an analyzer that should listen to half sentences still waits for its version") {
  const auto loaded = load_good(with(R"("analyzer": { "runs_on": ["turn", "partial"] })"));
  CHECK(said_of(loaded, "analyzer.runs_on").starts_with("warning: "));
}
