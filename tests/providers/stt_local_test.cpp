#include "providers/speech/whisper_decoder.hpp"
#include "tests/providers/speech_fixture.hpp"
#include "tests/providers/stt_conformance.hpp"
#include "tests/providers/temporary_file.hpp"

namespace sidevoice {

namespace {

constexpr const char* model_name = "ggml-tiny.en.bin";

/// Whether whisper.cpp can be used here; the test fails or says that it was skipped where not.
std::optional<std::string> model() {
  auto file = speech_models::find(model_name);
  if (!file || load_whisper(*file))
    return file;
  FAIL_CHECK(load_whisper(*file).error().detail);
  return std::nullopt;
}

} // namespace

TEST_CASE("whisper keeps the contract of speech to text") {
  if (!model())
    return;
  speech_fixture f;
  stt_conformance::run({f.turned, [&] { return f.stt(); }, speech_models::berlin(), "berlin"});
  CHECK(f.count.value(counter::utterances_heard) > 10);
  CHECK(f.count.value(counter::utterances_failed) == 0);
}

TEST_CASE("whisper invents no words for noise, hum and clicks") {
  const auto file = model();
  if (!file)
    return;
  samples hum(48'000);
  samples clicks(48'000);
  for (std::size_t i = 0; i < hum.size(); ++i) {
    hum[i] = static_cast<std::int16_t>(i % 320 < 160 ? 2000 : -2000);
    clicks[i] = static_cast<std::int16_t>(i % 8000 < 40 ? 20'000 : 0);
  }
  speech_fixture f;
  const auto provider = f.stt();
  const auto got = std::make_shared<stt_conformance::record>();
  const auto stream = stt_conformance::open(*provider, got);
  stt_conformance::say(*stream, "hum", hum);
  stt_conformance::say(*stream, "clicks", clicks);
  stt_conformance::say(*stream, "quiet noise", speech_models::noise(48'000, 200));
  stt_conformance::say(*stream, "noise", speech_models::noise(48'000, 3000));
  stt_conformance::say(*stream, "loud noise", speech_models::noise(48'000, 30'000));
  REQUIRE(f.turned.until([&] { return got->ends("loud noise") > 0; }));
  for (const auto* id : {"hum", "clicks", "quiet noise", "noise", "loud noise"}) {
    REQUIRE(got->all<stt_final>(id).size() == 1);
    CHECK_MESSAGE(got->text(id).empty(), id << ": " << got->text(id));
  }
}

TEST_CASE("a missing or damaged model is a gap with a remedy, and streams say no_model") {
  const auto folder = std::filesystem::temp_directory_path() / "sidevoice-no-models";
  speech_fixture f{folder.string()};
  REQUIRE(f.gap("stt") != nullptr);
  CHECK(f.gap("stt")->remedy.find("models.sh") != std::string::npos);
  CHECK(f.engines->stt() == nullptr);
  const auto opened = f.stt()->open({}, [](const stt_event&) {});
  REQUIRE(opened.has_error());
  CHECK(opened.error().code == errc::unavailable);
  CHECK(opened.error().reason == "no_model");
  CHECK(opened.error().detail.find("models.sh") != std::string::npos);
  // Speaking needs no model.
  CHECK(f.engines->tts() != nullptr);

  auto without = f.context();
  without.speech = nullptr;
  CHECK((*make_stt_local(without, "{}"))->open({}, [](const stt_event&) {}).error().reason
        == "no_model");
}

TEST_CASE("damage in a model file is noticed while it is loaded") {
  const auto file = model();
  if (!file)
    return;
  const temporary_file damaged;
  const auto whole = speech_models::bytes_of(*file);
  auto longer = whole;
  longer += 'x';
  auto header = whole;
  header[12] = '\x7f';
  auto weight = whole;
  weight[weight.size() - 1000] ^= 1;
  const std::vector<std::string> contents{
    "",     "lmgg", std::string(100'000, 'x'), whole.substr(0, whole.size() - 1), longer,
    header, weight};
  for (const auto& content : contents) {
    damaged.write(content);
    const auto loaded = load_whisper(damaged.path());
    REQUIRE_MESSAGE(loaded.has_error(), content.size());
    CHECK(loaded.error().code == errc::damaged);
  }
}

TEST_CASE("the local recogniser says that it knows English only") {
  if (!model())
    return;
  speech_fixture f;
  const auto opened = f.stt()->open({.language = "de"}, [](const stt_event&) {});
  REQUIRE(opened.has_error());
  CHECK(opened.error().reason == "language_unsupported");
  CHECK(f.stt()->open({.language = "en-GB"}, [](const stt_event&) {}).has_value());
}

} // namespace sidevoice
