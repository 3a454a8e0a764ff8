#include "providers/speech/stt_pool.hpp"

#include "tests/providers/stt_conformance.hpp"
#include "tests/support/hand_loop.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace sidevoice {

namespace {

/// What the decoders of a test do, and what they have been given.
class script {
public:
  /// Called on workers' threads.
  std::function<result<std::string>(samples_view, const speech_decoder::keep_on&)> decode =
    [](samples_view sound, const speech_decoder::keep_on&) {
      return std::to_string(sound_ms(sound.size(), speech_rate)) + " ms";
    };

  decoder_factory factory() {
    return [this] { return std::make_unique<decoder>(*this); };
  }

  void note(std::size_t ms) {
    const std::lock_guard guard{mutex_};
    lengths_.push_back(ms);
    changed_.notify_all();
  }

  /// Lengths of what was decoded, in order.
  std::vector<std::size_t> lengths() {
    const std::lock_guard guard{mutex_};
    return lengths_;
  }

  bool wait_for_calls(std::size_t count) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, std::chrono::seconds{60},
                             [&] { return lengths_.size() >= count; });
  }

  std::atomic<int> made{0};

private:
  class decoder final : public speech_decoder {
  public:
    explicit decoder(script& by) : script_(by) {
      ++script_.made;
    }
    result<std::string> decode(samples_view sound, const keep_on& go_on) override {
      script_.note(sound_ms(sound.size(), speech_rate));
      return script_.decode(sound, go_on);
    }

  private:
    script& script_;
  };

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::size_t> lengths_;
};

/// Works until nobody wants the answer any more.
result<std::string> hang(samples_view, const speech_decoder::keep_on& go_on) {
  while (go_on())
    std::this_thread::yield();
  return std::string{"too late"};
}

samples loud(std::size_t ms) {
  return samples(ms * speech_rate / 1000, 5000);
}

/// The pool over scripted decoders, in real time.
struct pool_fixture {
  void start(stt_pool_options options = {}) {
    pool = std::make_unique<stt_pool>(by.factory(), options, turned.where(), count);
    stream = stt_conformance::open(*pool, got);
  }

  script by;
  counters count;
  real_turning turned;
  std::unique_ptr<stt_pool> pool;
  stt_conformance::record_ptr got = std::make_shared<stt_conformance::record>();
  std::unique_ptr<stt_stream> stream;
};

std::string reason(const stt_conformance::record& got, const std::string& id) {
  const auto failed = got.all<stt_failed>(id);
  return failed.size() == 1 ? failed.front().why.reason : "no failure";
}

} // namespace

TEST_CASE_FIXTURE(pool_fixture, "ended utterances are heard in their order") {
  start();
  for (int i = 1; i <= 5; ++i)
    stt_conformance::say(*stream, "u" + std::to_string(i), loud(static_cast<std::size_t>(i) * 100));
  REQUIRE(turned.until([&] { return got->ends("u5") > 0; }));
  CHECK(by.lengths() == std::vector<std::size_t>{100, 200, 300, 400, 500});
  for (int i = 1; i <= 5; ++i)
    CHECK(got->text("u" + std::to_string(i)) == std::to_string(i * 100) + " ms");
}

TEST_CASE_FIXTURE(pool_fixture, "open utterances are guessed at after each further second") {
  start();
  stream->begin("u");
  for (std::size_t second = 1; second <= 3; ++second) {
    stt_conformance::push(*stream, loud(1000));
    REQUIRE(turned.until([&] { return got->all<stt_partial>("u").size() == second; }));
    CHECK(got->all<stt_partial>("u").back().text == std::to_string(second * 1000) + " ms");
  }
  stt_conformance::push(*stream, loud(900));
  stream->end();
  REQUIRE(turned.until([&] { return got->ends("u") > 0; }));
  CHECK(by.lengths() == std::vector<std::size_t>{1000, 2000, 3000, 3900});
}

TEST_CASE_FIXTURE(pool_fixture, "a guess gives way to an ended utterance of another visitor") {
  by.decode = [](samples_view sound, const speech_decoder::keep_on& go_on) {
    return sound_ms(sound.size(), speech_rate) == 1000 ? hang(sound, go_on)
                                                       : result<std::string>{"final"};
  };
  start();
  stream->begin("open");
  stt_conformance::push(*stream, loud(1000));
  REQUIRE(by.wait_for_calls(1));
  const auto other = std::make_shared<stt_conformance::record>();
  const auto second = stt_conformance::open(*pool, other);
  stt_conformance::say(*second, "ended", loud(500));
  REQUIRE(turned.until([&] { return other->ends("ended") > 0; }));
  CHECK(other->text("ended") == "final");
  CHECK(got->events.empty());
  stt_conformance::push(*stream, loud(500));
  stream->end();
  REQUIRE(turned.until([&] { return got->ends("open") > 0; }));
  CHECK(got->text("open") == "final");
}

TEST_CASE_FIXTURE(pool_fixture,
                  "more than the queue holds is overloaded, and cancelled ones free it") {
  by.decode = hang;
  start({1, 2});
  stt_conformance::say(*stream, "hangs", loud(100));
  REQUIRE(by.wait_for_calls(1));
  for (const auto* id : {"w1", "w2", "w3"})
    stt_conformance::say(*stream, id, loud(100));
  REQUIRE(turned.until([&] { return got->ends("w3") > 0; }));
  CHECK(reason(*got, "w3") == "overloaded");
  stream->cancel("w1");
  stt_conformance::say(*stream, "w4", loud(100));
  stt_conformance::say(*stream, "w5", loud(100));
  REQUIRE(turned.until([&] { return got->ends("w5") > 0; }));
  CHECK(reason(*got, "w5") == "overloaded");
  CHECK(got->ends("w4") == 0);
  CHECK(got->ends("w1") == 0);
}

TEST_CASE_FIXTURE(pool_fixture,
                  "an app that floods the recogniser makes another wait for one utterance of it") {
  std::atomic<bool> is_held{true};
  by.decode = [&](samples_view sound, const speech_decoder::keep_on& go_on) {
    while (is_held && go_on())
      std::this_thread::yield();
    return result<std::string>{std::to_string(sound_ms(sound.size(), speech_rate))};
  };
  start({1, 8});
  const auto calm_got = std::make_shared<stt_conformance::record>();
  const auto flood = stt_conformance::open(*pool, got, "flood");
  const auto calm = stt_conformance::open(*pool, calm_got, "calm");
  stt_conformance::say(*flood, "first", loud(100));
  REQUIRE(by.wait_for_calls(1));
  for (int i = 0; i < 12; ++i)
    stt_conformance::say(*flood, "f" + std::to_string(i), loud(200));
  stt_conformance::say(*calm, "mine", loud(300));
  stt_conformance::say(*calm, "mine too", loud(400));
  is_held = false;
  REQUIRE(turned.until([&] { return got->ends("f7") > 0; }));
  CHECK(calm_got->text("mine") == "300");
  CHECK(calm_got->text("mine too") == "400");
  CHECK(by.lengths()
        == std::vector<std::size_t>{100, 200, 300, 200, 400, 200, 200, 200, 200, 200, 200});
  // Only the flood's own part was full.
  for (int i = 8; i < 12; ++i)
    CHECK(reason(*got, "f" + std::to_string(i)) == "overloaded");
}

TEST_CASE_FIXTURE(pool_fixture, "guesses at open utterances go by turns of the apps as well") {
  // The last guess may go on for longer than this test.
  const auto is_held = std::make_shared<std::atomic<bool>>(true);
  by.decode = [is_held](samples_view sound, const speech_decoder::keep_on& go_on) {
    while (*is_held && go_on())
      std::this_thread::yield();
    return result<std::string>{std::to_string(sound_ms(sound.size(), speech_rate))};
  };
  start();
  const auto hold = stt_conformance::open(*pool, got, "flood");
  stt_conformance::say(*hold, "held", loud(100));
  REQUIRE(by.wait_for_calls(1));
  std::vector<std::unique_ptr<stt_stream>> talking;
  for (int i = 0; i < 3; ++i) {
    talking.push_back(stt_conformance::open(*pool, got, "flood"));
    talking.back()->begin("open");
    stt_conformance::push(*talking.back(), loud(1000));
  }
  const auto calm_got = std::make_shared<stt_conformance::record>();
  const auto calm = stt_conformance::open(*pool, calm_got, "calm");
  calm->begin("mine");
  stt_conformance::push(*calm, loud(1500));
  *is_held = false;
  REQUIRE(by.wait_for_calls(5));
  CHECK(by.lengths() == std::vector<std::size_t>{100, 1000, 1500, 1000, 1000});
}

TEST_CASE_FIXTURE(pool_fixture, "cancelling ends a decode at once, and the next one is heard") {
  by.decode = [](samples_view sound, const speech_decoder::keep_on& go_on) {
    return sound_ms(sound.size(), speech_rate) == 100 ? hang(sound, go_on)
                                                      : result<std::string>{"heard"};
  };
  start();
  stt_conformance::say(*stream, "hangs", loud(100));
  REQUIRE(by.wait_for_calls(1));
  stream->cancel("hangs");
  stt_conformance::say(*stream, "next", loud(200));
  REQUIRE(turned.until([&] { return got->ends("next") > 0; }));
  CHECK(got->text("next") == "heard");
  CHECK(got->ends("hangs") == 0);

  // The same where the whole stream goes.
  stt_conformance::say(*stream, "hangs again", loud(100));
  REQUIRE(by.wait_for_calls(3));
  stream = stt_conformance::open(*pool, got);
  stt_conformance::say(*stream, "new stream", loud(200));
  REQUIRE(turned.until([&] { return got->ends("new stream") > 0; }));
  CHECK(got->ends("hangs again") == 0);
}

TEST_CASE("a decode that takes too long fails as deadline, and so does who waits for too long") {
  script by;
  counters count;
  hand_loop turned;
  by.decode = [](samples_view sound, const speech_decoder::keep_on& go_on) {
    return sound_ms(sound.size(), speech_rate) < 3000 ? hang(sound, go_on)
                                                      : result<std::string>{"heard"};
  };
  stt_pool pool{by.factory(), {1, 8, std::chrono::seconds{6}}, turned, count};
  const auto got = std::make_shared<stt_conformance::record>();
  const auto stream = stt_conformance::open(pool, got);
  // Less than a second: nobody guesses at it.
  stt_conformance::say(*stream, "hangs", loud(900));
  REQUIRE(by.wait_for_calls(1));
  stt_conformance::say(*stream, "waits", loud(100));
  // Three times its 0.9 seconds and five; those who wait have six.
  turned.advance(std::chrono::milliseconds{5900});
  CHECK(got->events.empty());
  turned.advance(std::chrono::milliseconds{200});
  CHECK(reason(*got, "waits") == "deadline");
  turned.advance(std::chrono::milliseconds{1500});
  CHECK(got->ends("hangs") == 0);
  turned.advance(std::chrono::milliseconds{200});
  CHECK(reason(*got, "hangs") == "deadline");
  stt_conformance::say(*stream, "next", loud(3000));
  REQUIRE(by.wait_for_calls(2));
  const auto latest = std::chrono::steady_clock::now() + std::chrono::seconds{60};
  while (got->ends("next") == 0 && std::chrono::steady_clock::now() < latest)
    turned.run_ready();
  CHECK(got->text("next") == "heard");
}

TEST_CASE_FIXTURE(pool_fixture, "an engine that throws fails its utterance and is made anew") {
  int calls = 0;
  by.decode = [&](samples_view, const speech_decoder::keep_on&) -> result<std::string> {
    ++calls;
    if (calls == 1)
      throw std::runtime_error{"the weights are gone"};
    if (calls == 2)
      throw 7; // NOLINT: whatever a library may throw
    if (calls == 3)
      return error{errc::damaged, "code -3", {}, "engine"};
    return std::string{"heard"};
  };
  start();
  for (const auto* id : {"u1", "u2", "u3", "u4"})
    stt_conformance::say(*stream, id, loud(100));
  REQUIRE(turned.until([&] { return got->ends("u4") > 0; }));
  for (const auto* id : {"u1", "u2", "u3"})
    CHECK(reason(*got, id) == "engine");
  CHECK(got->text("u4") == "heard");
  CHECK(by.made == 3);
  CHECK(count.value(counter::utterances_failed) == 3);
}

TEST_CASE("an engine that does not start fails each utterance, and the stream lives on") {
  counters count;
  real_turning turned;
  for (const bool throws : {false, true}) {
    stt_pool pool{[throws]() -> std::unique_ptr<speech_decoder> {
                    if (throws)
                      throw std::runtime_error{"no memory"};
                    return nullptr;
                  },
                  {},
                  turned.where(),
                  count};
    const auto got = std::make_shared<stt_conformance::record>();
    const auto stream = stt_conformance::open(pool, got);
    for (const auto* id : {"u1", "u2"})
      stt_conformance::say(*stream, id, loud(100));
    REQUIRE(turned.until([&] { return got->ends("u2") > 0; }));
    CHECK(reason(*got, "u1") == "engine");
    CHECK(reason(*got, "u2") == "engine");
  }
}

TEST_CASE_FIXTURE(pool_fixture,
                  "a pool that goes away ends what hangs, and leaves silent streams") {
  by.decode = hang;
  start({2, 8});
  for (const auto* id : {"u1", "u2", "u3"})
    stt_conformance::say(*stream, id, loud(100));
  REQUIRE(by.wait_for_calls(2));
  pool.reset();
  stt_conformance::say(*stream, "u4", loud(100));
  REQUIRE(turned.until([&] { return got->ends("u4") > 0; }));
  CHECK(reason(*got, "u4") == "overloaded");
  CHECK(got->ends("u1") + got->ends("u2") + got->ends("u3") == 0);
}

TEST_CASE_FIXTURE(pool_fixture, "quiet sound is not decoded at all") {
  start();
  stt_conformance::say(*stream, "quiet", samples(16'000, 40));
  REQUIRE(turned.until([&] { return got->ends("quiet") > 0; }));
  CHECK(got->text("quiet").empty());
  CHECK(by.lengths().empty());
}

TEST_CASE_FIXTURE(pool_fixture, "what lasts longer than a decoder takes is decoded in pieces") {
  start();
  stt_conformance::say(*stream, "long", loud(50'000));
  REQUIRE(turned.until([&] { return got->ends("long") > 0; }));
  // Before them come guesses.
  auto lengths = by.lengths();
  REQUIRE(lengths.size() >= 2);
  lengths.erase(lengths.begin(), lengths.end() - 2);
  CHECK(lengths[0] <= 29'000);
  CHECK(lengths[0] + lengths[1] == 50'000);
  CHECK(got->text("long")
        == std::to_string(lengths[0]) + " ms " + std::to_string(lengths[1]) + " ms");
}

TEST_CASE_FIXTURE(pool_fixture, "many streams on two workers each get their own words") {
  start({2, 64});
  std::vector<stt_conformance::record_ptr> records;
  std::vector<std::unique_ptr<stt_stream>> streams;
  for (std::size_t i = 0; i < 40; ++i) {
    records.push_back(std::make_shared<stt_conformance::record>());
    streams.push_back(stt_conformance::open(*pool, records.back()));
    stt_conformance::say(*streams.back(), "u", loud(100 + i));
  }
  REQUIRE(turned.until([&] {
    return std::all_of(records.begin(), records.end(), [](auto& r) { return r->ends("u") == 1; });
  }));
  for (std::size_t i = 0; i < 40; ++i)
    CHECK(records[i]->text("u") == std::to_string(100 + i) + " ms");
}

} // namespace sidevoice
