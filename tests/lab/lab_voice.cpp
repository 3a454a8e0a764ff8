#include "tests/lab/lab_voice.hpp"

#include "tests/support/scripted_stt.hpp"
#include "tests/support/scripted_tts.hpp"

#include <algorithm>
#include <cstdlib>

namespace sidevoice::lab {

namespace {

using std::chrono::milliseconds;

class loud_stream final : public vad_stream {
public:
  float push(std::span<const std::int16_t, vad_frame> frame) override {
    const auto loud = std::count_if(frame.begin(), frame.end(),
                                    [](std::int16_t s) { return std::abs(int{s}) > 100; });
    return loud * 2 > static_cast<std::ptrdiff_t>(frame.size()) ? 0.95F : 0.02F;
  }
  void reset() override {}
};

class loud_engine final : public vad_engine {
public:
  [[nodiscard]] std::unique_ptr<vad_stream> open() const override {
    return std::make_unique<loud_stream>();
  }
  [[nodiscard]] std::string name() const override {
    return "loud";
  }
};

error broken() {
  return {errc::unavailable, "the script says so", {}, "scripted"};
}

} // namespace

const std::vector<std::string>& lab_sentences() {
  static const auto all = [] {
    std::vector<std::string> out{"", "mhm"};
    while (out.size() < sentences_max)
      out.push_back("said " + std::to_string(out.size()));
    return out;
  }();
  return all;
}

const vad_engine& lab_vad() {
  static const loud_engine engine;
  return engine;
}

void add_lab_voice(catalogue& to, dice& chance, voice_script& script) {
  to.add_stt("local",
             [&chance, &script](const provider_context& context,
                                const json_text&) -> result<std::unique_ptr<stt_provider>> {
               stt_script how{.sentences = lab_sentences()};
               how.hear = [&chance, &script](std::size_t) {
                 scripted_hearing hearing{.delay = milliseconds{chance.roll(script.hear_max_ms)}};
                 hearing.hangs = chance.chance(script.hear_hang_percent);
                 if (chance.chance(script.hear_fail_percent))
                   hearing.failure = broken();
                 script.unheard += hearing.hangs || hearing.failure ? 1 : 0;
                 return hearing;
               };
               return std::unique_ptr<stt_provider>{
                 std::make_unique<scripted_stt>(context.where, std::move(how))};
             });
  to.add_tts("local",
             [&chance, &script](const provider_context& context,
                                const json_text&) -> result<std::unique_ptr<tts_provider>> {
               tts_script how;
               how.say = [&chance, &script](std::size_t, const tts_request&) {
                 scripted_saying saying{.first = milliseconds{chance.roll(200)}};
                 saying.hangs = chance.chance(script.say_hang_percent);
                 if (chance.chance(script.say_fail_percent))
                   saying.failure = broken();
                 saying.failure_after = milliseconds{chance.roll(300)};
                 return saying;
               };
               return std::unique_ptr<tts_provider>{
                 std::make_unique<scripted_tts>(context.where, std::move(how))};
             });
}

} // namespace sidevoice::lab
