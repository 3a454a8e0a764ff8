#include "tests/providers/stt_conformance.hpp"
#include "tests/support/scripted_stt.hpp"

namespace sidevoice {

namespace {

struct scripted_fixture {
  std::unique_ptr<scripted_stt> make() {
    return std::make_unique<scripted_stt>(turned.where(), script);
  }

  virtual_turning turned;
  stt_script script{{"Yes.", "I would like to move to Berlin."}};
};

} // namespace

TEST_CASE_FIXTURE(scripted_fixture, "the scripted recogniser keeps the contract") {
  stt_conformance::run({turned, [&] { return make(); }, scripted_speech(1, 2000), "berlin"});
}

TEST_CASE_FIXTURE(scripted_fixture, "its script decides on delays, failures and silence") {
  script.hear = [](std::size_t nth) {
    scripted_hearing how;
    how.delay = std::chrono::milliseconds{500};
    how.hangs = nth == 1;
    if (nth == 2)
      how.failure = error{errc::unavailable, "by script", {}, "connect"};
    return how;
  };
  const auto provider = make();
  const auto got = std::make_shared<stt_conformance::record>();
  auto stream = stt_conformance::open(*provider, got);
  for (const auto* id : {"u0", "u1", "u2"})
    stt_conformance::say(*stream, id, scripted_speech(0, 600));
  const auto before = turned.where().now();
  REQUIRE(turned.until([&] { return got->ends("u2") > 0; }));
  CHECK(turned.where().now() - before == std::chrono::milliseconds{500});
  CHECK(got->text("u0") == "yes.");
  CHECK(got->ends("u1") == 0);
  CHECK(got->all<stt_failed>("u2").at(0).why.reason == "connect");
  CHECK(provider->ended() == 3);
  CHECK(provider->live() == 1);
  stream.reset();
  CHECK(provider->live() == 0);
}

TEST_CASE_FIXTURE(scripted_fixture, "the loudness that lasts longest decides, within half a step") {
  const auto provider = make();
  const auto got = std::make_shared<stt_conformance::record>();
  const auto stream = stt_conformance::open(*provider, got);
  auto sound = scripted_speech(0, 400);
  const auto most = scripted_speech(1, 500);
  sound.insert(sound.end(), most.begin(), most.end());
  for (std::size_t i = 0; i < sound.size(); ++i)
    sound[i] = static_cast<std::int16_t>(sound[i] + (i % 2 == 0 ? 100 : -100));
  stt_conformance::say(*stream, "u", sound);
  REQUIRE(turned.until([&] { return got->ends("u") > 0; }));
  CHECK(got->text("u") == "i would like to move to berlin.");
}

TEST_CASE_FIXTURE(scripted_fixture, "partials hold the first words of the sentence") {
  const auto provider = make();
  const auto got = std::make_shared<stt_conformance::record>();
  const auto stream = stt_conformance::open(*provider, got);
  stream->begin("u");
  stt_conformance::push(*stream, scripted_speech(1, 1000));
  REQUIRE(turned.until([&] { return !got->events.empty(); }));
  CHECK(got->all<stt_partial>("u").at(0).text == "I would");
}

} // namespace sidevoice
