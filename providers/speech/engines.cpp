#include "providers/speech/engines.hpp"

#include "config/log.hpp"
#include "providers/speech/energy_gate.hpp"
#include "providers/speech/flite_speaker.hpp"
#include "providers/speech/onnx_runtime.hpp"
#include "providers/speech/silero.hpp"
#include "providers/speech/smart_turn.hpp"
#include "providers/speech/stt_pool.hpp"
#include "providers/speech/tts_pool.hpp"
#include "providers/speech/whisper_decoder.hpp"

#include <utility>

namespace sidevoice {

namespace {

class local_engines final : public speech_engines {
public:
  local_engines(const speech_options& options, loop& where, counters& count)
      : folder_(options.models.empty() || options.models.ends_with('/') ? options.models
                                                                        : options.models + '/') {
    open_vad();
    open_end_of_turn(where, count);
    open_stt(options, where, count);
    tts_ = std::make_unique<tts_pool>(make_flite(),
                                      tts_pool_options{options.tts_workers, options.queue_max,
                                                       tts_pool_options{}.limit, flite_voices()},
                                      where, count);
  }

  [[nodiscard]] const vad_engine& vad() const override {
    return *vad_;
  }
  [[nodiscard]] end_of_turn_model* end_of_turn() override {
    return end_of_turn_.get();
  }
  [[nodiscard]] stt_provider* stt() override {
    return stt_.get();
  }
  [[nodiscard]] tts_provider* tts() override {
    return tts_.get();
  }
  [[nodiscard]] const std::vector<speech_gap>& missing() const override {
    return missing_;
  }

private:
  void open_vad() {
    auto silero = load_silero(folder_ + "silero_vad_16k_op15.onnx");
    if (silero)
      vad_ = std::move(*silero);
    else {
      vad_ = make_energy_gate();
      miss("vad", silero.error());
    }
  }

  void open_end_of_turn(loop& where, counters& count) {
    auto runtime = open_onnx_runtime(folder_ + "libonnxruntime.so");
    if (!runtime)
      return miss("end_of_turn", runtime.error());
    auto model = load_smart_turn(folder_ + "smart-turn-v3.2-cpu.onnx", std::move(*runtime), where,
                                 count);
    if (!model)
      return miss("end_of_turn", model.error());
    end_of_turn_ = std::move(*model);
  }

  void open_stt(const speech_options& options, loop& where, counters& count) {
    auto whisper = load_whisper(folder_ + "ggml-tiny.en.bin");
    if (!whisper)
      return miss("stt", whisper.error());
    stt_pool_options pool;
    pool.workers = options.stt_workers;
    pool.queue_max = options.queue_max;
    stt_ = std::make_unique<stt_pool>(std::move(*whisper), pool, where, count);
  }

  void miss(const char* part, const error& why) {
    const auto* remedy = why.reason == "no_engine"
                           ? "build again after scripts/models.sh (make build runs both)"
                           : "run scripts/models.sh --verify, or name its folder with --models";
    log(log_level::warning, "a part of speech is missing",
        {{"part", part}, {"why", why.detail}, {"remedy", remedy}});
    missing_.push_back({part, why.detail, remedy});
  }

  std::string folder_;
  std::vector<speech_gap> missing_;
  std::unique_ptr<vad_engine> vad_;
  std::unique_ptr<end_of_turn_model> end_of_turn_;
  std::unique_ptr<stt_provider> stt_;
  std::unique_ptr<tts_provider> tts_;
};

} // namespace

std::unique_ptr<speech_engines> open_speech(const speech_options& options, loop& where,
                                            counters& count) {
  return std::make_unique<local_engines>(options, where, count);
}

} // namespace sidevoice
