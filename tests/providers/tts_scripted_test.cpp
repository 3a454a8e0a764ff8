#include "tests/providers/tts_conformance.hpp"
#include "tests/support/scripted_tts.hpp"

namespace sidevoice {

using tts_conformance::saying;

namespace {

struct scripted_fixture {
  std::unique_ptr<scripted_tts> make() {
    return std::make_unique<scripted_tts>(turned.where(), script);
  }

  virtual_turning turned;
  tts_script script;
};

} // namespace

TEST_CASE_FIXTURE(scripted_fixture, "the scripted voice keeps the contract") {
  tts_conformance::run({turned, [&] { return make(); }});
}

TEST_CASE_FIXTURE(scripted_fixture, "its sound has the length and the value of its request") {
  const auto provider = make();
  for (std::size_t nth = 0; nth < 2; ++nth) {
    const auto got = std::make_shared<tts_conformance::record>();
    const auto stream = tts_conformance::open(*provider, saying("Hello you."), got);
    REQUIRE(turned.until([&] { return got->ends() > 0; }));
    CHECK(got->ms() == 600);
    for (const auto& one : got->all<tts_sound>())
      CHECK(one.piece.data->front() == scripted_tts::scripted_voice(nth));
    const auto marks = got->all<tts_mark>();
    REQUIRE(marks.size() == 2);
    CHECK(marks[0].text_end == 5);
    CHECK(marks[0].at_ms == 300);
    CHECK(marks[1].text_end == 10);
  }
  CHECK(provider->requests().size() == 2);
  CHECK(provider->live() == 0);
}

TEST_CASE_FIXTURE(scripted_fixture, "its script decides on failures and silence") {
  script.say = [](std::size_t nth, const tts_request&) {
    scripted_saying how;
    how.failure_after = std::chrono::milliseconds{200};
    how.hangs = nth == 1;
    if (nth == 0)
      how.failure = error{errc::unavailable, "by script", {}, "connect"};
    return how;
  };
  const auto provider = make();
  const auto failing = std::make_shared<tts_conformance::record>();
  const auto hanging = std::make_shared<tts_conformance::record>();
  const auto a = tts_conformance::open(*provider, saying("Hello you."), failing);
  const auto b = tts_conformance::open(*provider, saying("Hello you."), hanging);
  REQUIRE(turned.until([&] { return failing->ends() > 0; }));
  CHECK(failing->ms() == 200);
  CHECK(failing->all<tts_failed>().at(0).why.reason == "connect");
  CHECK_FALSE(turned.until([&] { return hanging->ends() > 0; }));
  CHECK(hanging->ms() == 200);
}

} // namespace sidevoice
