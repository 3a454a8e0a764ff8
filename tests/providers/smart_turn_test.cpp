#include "providers/speech/smart_turn.hpp"

#include "tests/providers/speech_models.hpp"
#include "tests/providers/temporary_file.hpp"
#include "tests/support/hand_loop.hpp"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace sidevoice {

namespace {

constexpr const char* model_name = "smart-turn-v3.2-cpu.onnx";

/// A hand-turned loop that tells when something was posted, and holds up threads that are not the
/// test's while they post.
class watched_loop final : public loop {
public:
  [[nodiscard]] clock::time_point now() const override {
    return turned.now();
  }
  [[nodiscard]] wall_clock::time_point wall() const override {
    return turned.wall();
  }
  [[nodiscard]] std::unique_ptr<timer> after(clock::duration delay, task f) override {
    return turned.after(delay, std::move(f));
  }

  void post(task f) override {
    std::unique_lock lock{mutex_};
    if (std::this_thread::get_id() != test_) {
      ++arrived_;
      changed_.notify_all();
      changed_.wait(lock, [this] { return is_open_; });
    }
    turned.post(std::move(f));
    ++posted_;
    changed_.notify_all();
  }

  void hold() {
    const std::lock_guard guard{mutex_};
    is_open_ = false;
  }

  void release() {
    const std::lock_guard guard{mutex_};
    is_open_ = true;
    changed_.notify_all();
  }

  /// Waits until other threads have come to post so often.
  bool wait_arrived(std::size_t count) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, std::chrono::minutes{1}, [&] { return arrived_ >= count; });
  }

  bool wait_posted(std::size_t count) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, std::chrono::minutes{1}, [&] { return posted_ >= count; });
  }

  hand_loop turned;

private:
  std::thread::id test_ = std::this_thread::get_id();
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_open_ = true;
  std::size_t arrived_ = 0;
  std::size_t posted_ = 0;
};

struct subject {
  watched_loop where;
  counters count;
  std::unique_ptr<end_of_turn_model> model;

  /// False where a file is missing.
  bool load() {
    const auto library = speech_models::find("libonnxruntime.so");
    const auto path = speech_models::find(model_name);
    if (!library || !path)
      return false;
    const auto runtime = open_onnx_runtime(*library);
    REQUIRE_MESSAGE(runtime.has_value(), runtime.error().detail);
    auto loaded = load_smart_turn(*path, *runtime, where, count);
    REQUIRE_MESSAGE(loaded.has_value(), loaded.error().detail);
    model = std::move(*loaded);
    return true;
  }

  float judge(const samples& speech, std::size_t question) {
    std::optional<float> out;
    model->ask("app", speech, [&](result<float> got) {
      REQUIRE_MESSAGE(got.has_value(), got.error().detail);
      out = *got;
    });
    CHECK_FALSE(out.has_value());
    REQUIRE(where.wait_posted(question));
    where.turned.run_ready();
    REQUIRE(out.has_value());
    return *out;
  }
};

/// The pause at which the model is asked.
samples with_pause(samples speech) {
  speech_models::append(speech, samples(speech_rate / 5, 0));
  return speech;
}

/// "I would like to move to"
samples unfinished() {
  auto out = speech_models::berlin();
  out.resize(std::size_t{speech_rate} * 11 / 10);
  return out;
}

} // namespace

TEST_CASE("a finished sentence ends the turn, one that was cut off does not") {
  subject s;
  if (!s.load())
    return;
  const auto finished = s.judge(with_pause(speech_models::berlin()), 1);
  const auto cut_off = s.judge(with_pause(unfinished()), 2);
  MESSAGE("finished: " << finished << ", cut off: " << cut_off);
  CHECK(finished > 0.9F);
  CHECK(cut_off < 0.1F);
  CHECK(s.count.value(counter::end_of_turn_asked) == 2);
}

TEST_CASE("what was said more than eight seconds ago does not matter to the end of a turn") {
  subject s;
  if (!s.load())
    return;
  auto newest = speech_models::noise(7 * std::size_t{speech_rate}, 100);
  speech_models::append(newest, with_pause(speech_models::berlin()));
  auto longer = speech_models::noise(60 * std::size_t{speech_rate}, 9000);
  speech_models::append(longer, newest);
  CHECK(s.judge(longer, 1) == s.judge(newest, 2));
}

TEST_CASE("any sound gets a probability, even none") {
  subject s;
  if (!s.load())
    return;
  std::size_t question = 0;
  for (const auto& sound :
       {samples{}, samples(1, 7), samples(200'000, -32768), speech_models::noise(130'000, 32767)}) {
    const auto got = s.judge(sound, ++question);
    CHECK(got >= 0);
    CHECK(got <= 1);
  }
}

TEST_CASE("asking never waits, and is refused beyond the queue") {
  subject s;
  if (!s.load())
    return;
  std::size_t answered = 0;
  std::vector<error> refused;
  const auto ask = [&] {
    s.model->ask("app", unfinished(), [&](const result<float>& got) {
      if (got)
        ++answered;
      else
        refused.push_back(got.error());
    });
  };
  // The worker is stuck with its first answer: from here on nothing leaves the queue.
  s.where.hold();
  ask();
  REQUIRE(s.where.wait_arrived(1));
  for (std::size_t i = 0; i < smart_turn_queue + 3; ++i)
    ask();
  CHECK(refused.empty());
  s.where.turned.run_ready();
  CHECK(answered == 0);
  REQUIRE(refused.size() == 3);
  CHECK(refused[0].code == errc::overloaded);
  CHECK_FALSE(refused[0].detail.empty());
  CHECK(s.count.value(counter::end_of_turn_asked) == 1 + smart_turn_queue);
  CHECK(s.count.value(counter::end_of_turn_refused) == 3);
  // And all of the accepted ones are answered.
  s.where.release();
  REQUIRE(s.where.wait_posted(3 + 1 + smart_turn_queue));
  s.where.turned.run_ready();
  CHECK(answered == 1 + smart_turn_queue);
  CHECK(refused.size() == 3);
}

TEST_CASE("pauses of another app find room beside a flood, and are judged by turns") {
  subject s;
  if (!s.load())
    return;
  std::vector<std::string> order;
  const auto ask = [&](const std::string& app) {
    s.model->ask(app, unfinished(), [&order, app](const result<float>& got) {
      order.push_back(got ? app : app + " refused");
    });
  };
  s.where.hold();
  ask("flood");
  REQUIRE(s.where.wait_arrived(1));
  for (std::size_t i = 0; i < smart_turn_queue + 1; ++i)
    ask("flood");
  ask("calm");
  s.where.release();
  REQUIRE(s.where.wait_posted(1 + 1 + smart_turn_queue + 1));
  s.where.turned.run_ready();
  const auto mine = std::find(order.begin(), order.end(), "calm") - order.begin();
  // Behind the refusal, the one that was judged meanwhile, and one more.
  CHECK(mine <= 3);
  CHECK(std::count(order.begin(), order.end(), "flood refused") == 1);
  CHECK(order.size() == smart_turn_queue + 3);
}

TEST_CASE("who asked a model that goes away is told, once") {
  subject s;
  if (!s.load())
    return;
  std::array<int, 6> told{};
  std::size_t stopped = 0;
  for (auto& mine : told)
    s.model->ask("app", speech_models::berlin(), [&](const result<float>& got) {
      ++mine;
      if (!got) {
        CHECK(got.error().reason == "stopped");
        ++stopped;
      }
    });
  s.model.reset();
  CHECK(s.where.turned.pending() == told.size());
  s.where.turned.run_ready();
  for (const auto times : told)
    CHECK(times == 1);
  CHECK(stopped > 0);
}

TEST_CASE("a file that is not smart-turn's is refused with its remedy") {
  const auto library = speech_models::find("libonnxruntime.so");
  const auto other = speech_models::find("silero_vad_16k_op15.onnx");
  if (!library || !other)
    return;
  const auto runtime = open_onnx_runtime(*library);
  REQUIRE(runtime.has_value());
  hand_loop where;
  counters count;
  const temporary_file text;
  text.write("a text file\n");
  for (const auto& path : {*other, text.path()}) {
    const auto got = load_smart_turn(path, *runtime, where, count);
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().code == errc::damaged);
    CHECK(got.error().detail.find("scripts/models.sh") != std::string::npos);
  }
  const auto missing = load_smart_turn("no/such/file.onnx", *runtime, where, count);
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().code == errc::not_found);
}

} // namespace sidevoice
