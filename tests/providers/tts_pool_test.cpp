#include "providers/speech/tts_pool.hpp"

#include "tests/providers/tts_conformance.hpp"
#include "tests/support/hand_loop.hpp"

#include <atomic>
#include <stdexcept>
#include <thread>

namespace sidevoice {

namespace {

using tts_conformance::saying;
using speak_function = std::function<result<void>(const spoken_text&, const speech_output&)>;

class scripted_speaker final : public speaker {
public:
  explicit scripted_speaker(speak_function by) : by_(std::move(by)) {}
  result<void> speak(const spoken_text& what, const speech_output& to) override {
    return by_(what, to);
  }

private:
  speak_function by_;
};

/// Says 10 ms, then draws breath until it is told to stop.
result<void> for_ever(const spoken_text&, const speech_output& to) {
  to.sound(samples(160, 1000), speech_rate);
  while (to.sound({}, speech_rate))
    std::this_thread::yield();
  return {};
}

struct pool_fixture {
  void start(const speak_function& speak, std::size_t queue_max = 64) {
    tts_pool_options options;
    options.queue_max = queue_max;
    options.voices = {"one", "two"};
    pool = std::make_unique<tts_pool>(
      [this, speak] {
        ++made;
        return std::make_unique<scripted_speaker>(speak);
      },
      options, turned.where(), count);
  }

  /// Somebody asks; nobody listens any more when he is gone.
  struct listener {
    tts_conformance::record_ptr got = std::make_shared<tts_conformance::record>();
    std::unique_ptr<tts_stream> stream;
  };

  listener ask(const std::string& text, const std::string& app = {}) {
    listener one;
    auto request = saying(text);
    request.app = app;
    one.stream = tts_conformance::open(*pool, std::move(request), one.got);
    return one;
  }

  static std::string reason(const listener& one) {
    const auto failed = one.got->all<tts_failed>();
    return failed.size() == 1 ? failed.front().why.reason : "no failure";
  }

  std::atomic<int> made{0};
  counters count;
  real_turning turned;
  std::unique_ptr<tts_pool> pool;
};

} // namespace

TEST_CASE_FIXTURE(pool_fixture,
                  "the first sound goes out at once, later ones in pieces of 100 ms") {
  start([](const spoken_text&, const speech_output& to) -> result<void> {
    const samples piece(160, 1000);
    for (int i = 0; i < 26; ++i)
      to.sound(piece, speech_rate);
    return {};
  });
  const auto one = ask("Hello.");
  REQUIRE(turned.until([&] { return one.got->ends() > 0; }));
  std::vector<std::uint64_t> lengths;
  for (const auto& s : one.got->all<tts_sound>())
    lengths.push_back(sound_ms(s.piece.data->size(), s.piece.rate));
  CHECK(lengths == std::vector<std::uint64_t>{10, 100, 100, 50});
}

TEST_CASE_FIXTURE(pool_fixture,
                  "a speaker gets clean text, and its marks are told in the caller's") {
  std::string given;
  start([&](const spoken_text& what, const speech_output& to) -> result<void> {
    given = what.text;
    to.mark(4, 100);
    to.mark(given.size(), 200);
    to.mark(9999, 300);
    return {};
  });
  const std::string text = "Caf\xc3\xa9\t\x01 f\xc3\xbcr 5\xe2\x82\xac\xf0\x9f\x98\x80!";
  const auto one = ask(text);
  REQUIRE(turned.until([&] { return one.got->ends() > 0; }));
  CHECK(given == "Cafe fur 5 euros !");
  const auto marks = one.got->all<tts_mark>();
  REQUIRE(marks.size() == 3);
  CHECK(marks[0].text_end == 5);
  CHECK(marks[1].text_end == text.size());
  CHECK(marks[2].text_end == text.size());
}

TEST_CASE_FIXTURE(pool_fixture, "cancelling stops a speaker that would never end") {
  start(for_ever);
  auto endless = ask("Hello.");
  REQUIRE(turned.until([&] { return !endless.got->events.empty(); }));
  endless.stream.reset();
  auto next = ask("Hello again.");
  REQUIRE(turned.until([&] { return !next.got->events.empty(); }));
  CHECK(endless.got->ends() == 0);
}

TEST_CASE_FIXTURE(pool_fixture,
                  "more than the queue holds is overloaded, and cancelled ones free it") {
  start(for_ever, 2);
  const auto endless = ask("Hello.");
  REQUIRE(turned.until([&] { return !endless.got->events.empty(); }));
  auto first = ask("One.");
  const auto second = ask("Two.");
  const auto third = ask("Three.");
  REQUIRE(turned.until([&] { return third.got->ends() > 0; }));
  CHECK(reason(third) == "overloaded");
  first.stream.reset();
  const auto fourth = ask("Four.");
  const auto fifth = ask("Five.");
  REQUIRE(turned.until([&] { return fifth.got->ends() > 0; }));
  CHECK(reason(fifth) == "overloaded");
  CHECK(fourth.got->ends() == 0);
}

TEST_CASE_FIXTURE(pool_fixture,
                  "an app that floods the voice makes another wait for one text of it") {
  std::atomic<bool> is_held{true};
  std::vector<std::string> spoken; // the one worker's, until the end
  start(
    [&](const spoken_text& what, const speech_output& to) -> result<void> {
      spoken.push_back(what.text);
      to.sound(samples(160, 1000), speech_rate);
      while (is_held && to.sound({}, speech_rate))
        std::this_thread::yield();
      return {};
    },
    4);
  std::vector<listener> flood;
  flood.push_back(ask("First.", "flood"));
  REQUIRE(turned.until([&] { return !flood.front().got->events.empty(); }));
  for (int i = 0; i < 6; ++i)
    flood.push_back(ask("More.", "flood"));
  const auto mine = ask("Mine.", "calm");
  const auto mine_too = ask("Mine too.", "calm");
  is_held = false;
  REQUIRE(turned.until([&] { return flood[4].got->ends() > 0; }));
  CHECK(mine.got->ends() == 1);
  CHECK(mine_too.got->ends() == 1);
  CHECK(spoken
        == std::vector<std::string>{"First.", "More.", "Mine.", "More.", "Mine too.", "More.",
                                    "More."});
  // Only the flood's own part was full.
  CHECK(reason(flood[5]) == "overloaded");
  CHECK(reason(flood[6]) == "overloaded");
}

TEST_CASE("a request that is not over in its time fails as deadline, and the speaker is stopped") {
  counters count;
  hand_loop turned;
  tts_pool_options options;
  options.voices = {"one"};
  std::atomic<int> stopped{0};
  tts_pool pool{[&] {
                  return std::make_unique<scripted_speaker>(
                    [&](const spoken_text& what, const speech_output& to) {
                      auto said = for_ever(what, to);
                      ++stopped;
                      return said;
                    });
                },
                options, turned, count};
  const auto got = std::make_shared<tts_conformance::record>();
  const auto stream = tts_conformance::open(pool, saying("Hello."), got);
  const auto latest = std::chrono::steady_clock::now() + std::chrono::seconds{60};
  while (got->events.empty() && std::chrono::steady_clock::now() < latest)
    turned.run_ready();
  REQUIRE(got->events.size() == 1);
  turned.advance(std::chrono::milliseconds{29'900});
  CHECK(got->ends() == 0);
  turned.advance(std::chrono::milliseconds{200});
  REQUIRE(got->all<tts_failed>().size() == 1);
  CHECK(got->all<tts_failed>().front().why.reason == "deadline");
  while (stopped == 0 && std::chrono::steady_clock::now() < latest)
    std::this_thread::yield();
  CHECK(stopped == 1);
}

TEST_CASE_FIXTURE(pool_fixture, "a speaker that throws fails its request and is made anew") {
  int calls = 0;
  start([&](const spoken_text&, const speech_output& to) -> result<void> {
    to.sound(samples(160, 1000), speech_rate);
    ++calls;
    if (calls == 1)
      throw std::runtime_error{"no voice left"};
    if (calls == 2)
      throw 7; // NOLINT: whatever a library may throw
    if (calls == 3)
      return error{errc::damaged, "hoarse", {}, "engine"};
    return {};
  });
  std::vector<listener> all;
  for (int i = 0; i < 4; ++i)
    all.push_back(ask("Hello."));
  REQUIRE(turned.until([&] { return all.back().got->ends() > 0; }));
  for (std::size_t i = 0; i < 3; ++i)
    CHECK(reason(all[i]) == "engine");
  CHECK(all[3].got->all<tts_done>().size() == 1);
  CHECK(made == 3);
  CHECK(count.value(counter::speech_failed) == 3);
}

TEST_CASE_FIXTURE(pool_fixture, "a pool that goes away stops what is said, and leaves silence") {
  start(for_ever);
  const auto endless = ask("Hello.");
  const auto waiting = ask("Hello.");
  REQUIRE(turned.until([&] { return !endless.got->events.empty(); }));
  pool.reset();
  CHECK(endless.got->ends() == 0);
  CHECK(waiting.got->events.empty());
}

} // namespace sidevoice
