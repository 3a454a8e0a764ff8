#include "providers/speech/smart_turn.hpp"

#include "config/fair_line.hpp"
#include "providers/speech/log_mel.hpp"

#include <array>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

namespace sidevoice {

namespace {

/// Features and network.
class turn_network {
public:
  explicit turn_network(std::unique_ptr<onnx_session> session) : session_(std::move(session)) {}

  result<float> judge(samples_view speech) {
    auto features = features_.of(speech);
    const std::array inputs{onnx_value{
      "input_features", {1, log_mel::bands, log_mel::moments}, std::span<float>{features}}};
    std::array<float, 1> probability{};
    const std::array outputs{onnx_value{"logits", {1, 1}, std::span<float>{probability}}};
    if (const auto done = session_->run(inputs, outputs); !done)
      return done.error();
    // The sigmoid is part of the network.
    if (!(probability[0] >= 0 && probability[0] <= 1))
      return error{
        errc::damaged, "the end-of-turn model answered with no probability", {}, "damaged_model"};
    return probability[0];
  }

private:
  log_mel features_;
  std::unique_ptr<onnx_session> session_;
};

class smart_turn final : public end_of_turn_model {
public:
  smart_turn(turn_network network, loop& where, counters& count)
      : network_(std::move(network)),
        where_(where),
        count_(count),
        thread_([this] { work(); }) {}
  smart_turn(const smart_turn&) = delete;
  smart_turn& operator=(const smart_turn&) = delete;

  ~smart_turn() override {
    fair_line<question> left{0};
    {
      const std::lock_guard guard{mutex_};
      is_stopping_ = true;
      std::swap(left, waiting_);
    }
    changed_.notify_one();
    while (auto one = left.pop())
      answer(std::move(one->to), error{errc::unavailable,
                                       "the end-of-turn model was stopped: go by silence",
                                       {},
                                       "stopped"});
    thread_.join();
  }

  void ask(const std::string& app, samples speech, sink to) override {
    if (speech.size() > log_mel::samples_max)
      speech.erase(speech.begin(), speech.end() - log_mel::samples_max);
    question asked{std::move(speech), std::move(to)};
    bool is_taken = false;
    {
      const std::lock_guard guard{mutex_};
      is_taken = waiting_.push(app, std::move(asked));
    }
    if (is_taken) {
      count_.add(counter::end_of_turn_asked);
      changed_.notify_one();
      return;
    }
    count_.add(counter::end_of_turn_refused);
    answer(std::move(asked.to),
           error{errc::overloaded,
                 "too many pauses wait for the end-of-turn model: go by silence",
                 {},
                 "overloaded"});
  }

private:
  struct question {
    samples speech;
    sink to;
  };

  void answer(sink to, result<float> with) {
    where_.post([to = std::move(to), with = std::move(with)] { to(with); });
  }

  void work() {
    std::unique_lock lock{mutex_};
    for (;;) {
      changed_.wait(lock, [this] { return is_stopping_ || !waiting_.empty(); });
      if (is_stopping_)
        return;
      auto one = waiting_.pop();
      lock.unlock();
      answer(std::move(one->to), network_.judge(one->speech));
      lock.lock();
    }
  }

  turn_network network_;
  loop& where_;
  counters& count_;
  std::mutex mutex_;
  std::condition_variable changed_;
  fair_line<question> waiting_{smart_turn_queue};
  bool is_stopping_ = false;
  /// Last: it uses all of the above.
  std::thread thread_;
};

} // namespace

result<std::unique_ptr<end_of_turn_model>> load_smart_turn(const std::string& model,
                                                           std::shared_ptr<onnx_runtime> runtime,
                                                           loop& where, counters& count) {
  auto session = runtime->open(model);
  if (!session)
    return session.error();
  turn_network network{std::move(*session)};
  // A first run shows whether it is this network at all, and leaves the library warm.
  if (const auto tried = network.judge({}); !tried)
    return error{errc::damaged,
                 "the end-of-turn model " + model + " cannot be used: " + tried.error().detail
                   + "; run scripts/models.sh, which fetches it again",
                 {},
                 "damaged_model"};
  return std::unique_ptr<end_of_turn_model>{
    std::make_unique<smart_turn>(std::move(network), where, count)};
}

} // namespace sidevoice
