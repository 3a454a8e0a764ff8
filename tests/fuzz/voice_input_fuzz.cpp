#include "gateway/voice_input.hpp"
#include "tests/gateway/voice_input_support.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>

namespace {

using namespace sidevoice;

void must(bool is_so, const char* what) {
  if (is_so)
    return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

/// Bytes of the fuzzer as choices; zeros at the end.
class choices {
public:
  choices(const std::uint8_t* bytes, std::size_t size) : bytes_{bytes}, left_{size} {}
  [[nodiscard]] bool empty() const {
    return left_ == 0;
  }
  std::uint32_t next() {
    if (left_ == 0)
      return 0;
    --left_;
    return *bytes_++;
  }

private:
  const std::uint8_t* bytes_;
  std::size_t left_;
};

/// What the steps keep, whatever a client sends and in whatever order.
class judge {
public:
  void take(const voice_input& input, const voice_input::steps& steps) {
    for (const auto& step : steps)
      std::visit([&](const auto& one) { see(input, one); }, step);
  }

  void settled(const std::string& utterance) {
    unsettled_.erase(utterance);
    if (told_open_ == utterance)
      told_open_.clear();
  }

  [[nodiscard]] std::string oldest() const {
    return unsettled_.empty() ? std::string{} : unsettled_.begin()->first;
  }

private:
  struct known {
    std::string stream;
    std::uint64_t from_ms = 0;
  };

  void see(const voice_input&, const speech_edge& edge) {
    must(!edge.utterance.empty() && edge.from_ms <= edge.at_ms, "an edge before its beginning");
    if (edge.kind == edge_kind::begun) {
      must(told_open_.empty(), "a beginning within an utterance");
      told_open_ = edge.utterance;
      is_paused_ = false;
    } else if (edge.kind == edge_kind::ended) {
      // A manual one was never told to begin.
      must(told_open_.empty() || told_open_ == edge.utterance, "an end of something else");
      told_open_.clear();
    } else {
      must(told_open_ == edge.utterance, "a pause of nothing");
      must(is_paused_ == (edge.kind == edge_kind::resumed), "two pauses in a row");
      is_paused_ = !is_paused_;
    }
    if (edge.kind != edge_kind::begun && unsettled_.count(edge.utterance) > 0)
      unsettled_[edge.utterance] = {edge.stream, edge.from_ms};
  }

  void see(const voice_input& input, const feed_begin& begin) {
    must(fed_open_.empty(), "a feed within a feed");
    fed_open_ = begin.utterance;
    unsettled_[begin.utterance] = {input.stream(), ~std::uint64_t{0}};
  }

  void see(const voice_input&, const feed_sound& sound) {
    must(!fed_open_.empty() && !sound.data.empty(), "sound of nothing");
  }

  void see(const voice_input&, const feed_end&) {
    must(!fed_open_.empty(), "an end of no feed");
    fed_open_.clear();
  }

  void see(const voice_input&, const feed_cancel& cancel) {
    must(fed_open_ == cancel.utterance, "a cancel of what is not open");
    fed_open_.clear();
    unsettled_.erase(cancel.utterance);
  }

  void see(const voice_input& input, const sound_settled& to) {
    if (input.stream() == stream_)
      must(to.to_ms >= settled_ms_, "what was settled is not any more");
    stream_ = input.stream();
    settled_ms_ = to.to_ms;
    for (const auto& [id, one] : unsettled_)
      must(one.stream != stream_ || to.to_ms <= one.from_ms, "settled beyond an open utterance");
  }

  void see(const voice_input& input, const speech_probe& probe) {
    must(probe.at_ms <= input.position_ms() && probe.probability >= 0, "an impossible probe");
  }

  std::map<std::string, known> unsettled_;
  std::string told_open_;
  std::string fed_open_;
  std::string stream_;
  std::uint64_t settled_ms_ = 0;
  bool is_paused_ = false;
};

constexpr voice_input_limits limits{.kept_ms = 1000, .utterance_ms = 600};

turn_settings any_turns(choices& by) {
  turn_settings turns;
  turns.mode = static_cast<turn_mode>(by.next() % 3);
  turns.threshold = by.next() / 255.0;
  turns.prefix_padding = std::chrono::milliseconds{by.next() * 2};
  turns.silence_duration = std::chrono::milliseconds{by.next() * 4};
  turns.eagerness = by.next() % 2 == 0 ? "high" : "auto";
  return turns;
}

samples any_sound(choices& by, std::uint32_t rate) {
  static constexpr std::array<int, 6> levels{0, 1000, 2200, 8000, 32767, -32768};
  const auto level = levels[by.next() % levels.size()];
  const auto length = by.next();
  // Odd counts, some frames, and bursts.
  const auto count = length < 200 ? length * 7 : rate * (length - 199) / 100;
  return samples(count, static_cast<std::int16_t>(level));
}

void act(voice_input& input, judge& seen, choices& by, int& again) {
  static constexpr std::array<std::uint32_t, 7> rates{16'000, 16'000, 16'000, 16'000,
                                                      8000,   24'000, 11'025};
  voice_input::steps out;
  switch (by.next() % 12) {
    case 0:
      input.set_turns(any_turns(by));
      break;
    case 1:
      input.commit(out);
      break;
    case 2:
      out = input.clear();
      break;
    case 3:
      out = input.end_utterance(input.open_utterance());
      break;
    case 4:
    case 5: {
      const auto which = by.next() % 2 == 0 ? seen.oldest() : input.open_utterance();
      // As whoever settles: it is known to be over before the answer comes.
      seen.settled(which);
      out = input.settle(which);
      break;
    }
    case 6: {
      const auto stream = "mic_" + std::to_string(by.next() % 3);
      const auto near = input.position_ms() + by.next() * 8;
      const auto from = near > 1000 ? near - 1000 : 0;
      const auto heard = by.next() % 2 == 0 ? 0 : from + by.next() * 4;
      const auto known = heard + by.next() * 4;
      const auto known_to = known + by.next() * 8;
      // Each speech is awaited once, and its item is as new as the time.
      std::vector<speech_state> awaited;
      for (auto at = known_to, left = std::uint64_t{by.next() % 3}; left > 0; --left) {
        const auto begin = at + by.next() * 4;
        at = begin + by.next() * 4;
        awaited.push_back({"again_" + std::to_string(++again), stream, begin, at});
      }
      out = input.begin_stream(stream, from, {stream, heard, {{known, known_to}}},
                               std::move(awaited));
      break;
    }
    default: {
      const auto rate = rates[by.next() % rates.size()];
      out = input.push(any_sound(by, rate), rate);
    }
  }
  seen.take(input, out);
}

void feed_is_whole(const voice_input& input) {
  bool is_open = false;
  for (const auto& step : input.feed_again()) {
    if (std::holds_alternative<feed_begin>(step)) {
      must(!is_open, "two beginnings");
      is_open = true;
    } else if (std::holds_alternative<feed_end>(step)) {
      must(is_open, "an end of nothing");
      is_open = false;
    } else {
      must(is_open && std::holds_alternative<feed_sound>(step), "sound of nothing again");
    }
  }
  must(is_open == !input.open_utterance().empty(), "the open utterance is fed as ended");
}

} // namespace

/// A client that appends, commits, clears, changes its mind and its microphone, as the bytes say.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  choices by{bytes, std::min<std::size_t>(size, 200)};
  amplitude_vad::tally tally;
  counted_ids ids;
  counters count;
  voice_input input{std::make_unique<amplitude_vad>(tally), ids, count, limits};
  judge seen;
  int again = 0;
  for (int count_down = 4; !by.empty(); --count_down) {
    act(input, seen, by, again);
    if (count_down == 0) {
      feed_is_whole(input);
      count_down = 4;
    }
    // What is kept, and the padding.
    must(input.kept_bytes() <= (limits.kept_ms + 700) * 32, "sound without a bound");
  }
  return 0;
}
