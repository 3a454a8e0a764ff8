#include "providers/speech/whisper_decoder.hpp"

#include "config/log.hpp"

#ifdef SIDEVOICE_WHISPER
#  include <sodium.h>
#  include <whisper.h>

#  include <algorithm>
#  include <array>
#  include <cmath>
#  include <fstream>
#  include <stdexcept>
#  include <vector>
#endif

namespace sidevoice {

#ifdef SIDEVOICE_WHISPER

namespace {

constexpr float loudest = 32768.0F;
/// Whisper was trained on speech with some room before and behind it.
constexpr std::size_t pad_before = speech_rate * 3 / 10;
constexpr std::size_t pad_after = speech_rate / 2;
/// Steps of the encoder: 50 a second. Tighter than 512 makes it loop, more than 1500 it does not
/// have.
constexpr int context_min = 512;
constexpr int context_max = 1500;
constexpr int context_per_second = 50;
constexpr int context_reserve = 32;
/// Words that it takes for speech with less than this confidence are inventions.
constexpr float no_speech_max = 0.6F;
constexpr float doubt_max = 0.45F;

struct context_deleter {
  void operator()(whisper_context* c) const {
    whisper_free(c);
  }
};
struct state_deleter {
  void operator()(whisper_state* s) const {
    whisper_free_state(s);
  }
};
using context_ptr = std::shared_ptr<whisper_context>;

/// What failed is told by codes; a decode that was called off is written as an error too.
void write_log(ggml_log_level level, const char* text, void*) {
  if (level == GGML_LOG_LEVEL_ERROR)
    log(log_level::debug, "whisper", {{"says", text}});
}

std::vector<float> padded(samples_view sound) {
  std::vector<float> out(pad_before + sound.size() + pad_after, 0.0F);
  std::transform(sound.begin(), sound.end(), out.begin() + pad_before,
                 [](std::int16_t s) { return static_cast<float>(s) / loudest; });
  return out;
}

whisper_full_params parameters(double seconds, const speech_decoder::keep_on& go_on) {
  auto p = whisper_full_default_params(WHISPER_SAMPLING_GREEDY);
  p.n_threads = 1;
  p.language = "en";
  p.no_context = true;
  p.no_timestamps = true;
  p.single_segment = true;
  p.print_progress = false;
  p.print_realtime = false;
  p.print_timestamps = false;
  p.temperature_inc = 0;
  p.audio_ctx =
    std::clamp(static_cast<int>(std::ceil(seconds * context_per_second)) + context_reserve,
               context_min, context_max);
  p.max_tokens = static_cast<int>(seconds * 6) + 8;
  p.abort_callback = [](void* asked) {
    return !(*static_cast<const speech_decoder::keep_on*>(asked))();
  };
  p.abort_callback_user_data = const_cast<speech_decoder::keep_on*>(&go_on);
  return p;
}

class whisper_decoder final : public speech_decoder {
public:
  explicit whisper_decoder(context_ptr context)
      : context_(std::move(context)),
        state_(whisper_init_state(context_.get())) {
    if (state_ == nullptr)
      throw std::runtime_error{"no memory for another recogniser"};
  }

  result<std::string> decode(samples_view sound, const keep_on& go_on) override {
    const auto wave = padded(sound);
    const auto seconds = static_cast<double>(wave.size()) / speech_rate;
    const auto failed = whisper_full_with_state(context_.get(), state_.get(),
                                                parameters(seconds, go_on), wave.data(),
                                                static_cast<int>(wave.size()));
    if (!go_on())
      return std::string{};
    if (failed != 0)
      return error{errc::damaged, "whisper ends with code " + std::to_string(failed), {}, "engine"};
    return text();
  }

private:
  [[nodiscard]] std::string text() const {
    std::string out;
    const auto count = whisper_full_n_segments_from_state(state_.get());
    for (int i = 0; i < count; ++i)
      if (is_speech(i))
        out += whisper_full_get_segment_text_from_state(state_.get(), i);
    return out;
  }

  [[nodiscard]] bool is_speech(int segment) const {
    return whisper_full_get_segment_no_speech_prob_from_state(state_.get(), segment) < no_speech_max
           || confidence(segment) > doubt_max;
  }

  [[nodiscard]] float confidence(int segment) const {
    const auto count = whisper_full_n_tokens_from_state(state_.get(), segment);
    float sum = 0;
    for (int i = 0; i < count; ++i)
      sum += whisper_full_get_token_p_from_state(state_.get(), segment, i);
    return count == 0 ? 0 : sum / static_cast<float>(count);
  }

  context_ptr context_;
  std::unique_ptr<whisper_state, state_deleter> state_;
};

/// whisper.cpp trusts its file: a damaged one can end the process. So it gets the one file alone
/// that scripts/models.sh makes.
constexpr std::size_t model_bytes = 77'705'316;
constexpr std::array<unsigned char, crypto_hash_sha256_BYTES> model_digest{
  0xc9, 0xb4, 0x05, 0x5f, 0x41, 0xfa, 0xb9, 0xda, 0x6f, 0xae, 0xa6, 0x19, 0x10, 0x64, 0xe3, 0x83,
  0x34, 0x4e, 0xee, 0x88, 0x02, 0x52, 0x17, 0x7b, 0xdf, 0x3d, 0x79, 0x28, 0xb2, 0x03, 0x57, 0x64};

bool is_published(const std::vector<char>& bytes) {
  if (bytes.size() != model_bytes)
    return false;
  std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
  crypto_hash_sha256(digest.data(), reinterpret_cast<const unsigned char*>(bytes.data()),
                     bytes.size());
  return digest == model_digest;
}

bool processor_fits() {
#  ifdef __x86_64__
  return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
#  else
  return true;
#  endif
}

} // namespace

result<decoder_factory> load_whisper(const std::string& file) {
  if (!processor_fits())
    return error{errc::unavailable,
                 "this processor has no AVX2, which whisper.cpp was built for",
                 {},
                 "no_engine"};
  std::ifstream source{file, std::ios::binary};
  if (!source)
    return error{errc::unavailable, "there is no " + file + " that can be read", {}, "no_model"};
  // One byte more than it should have, so that a longer file is noticed too.
  std::vector<char> bytes(model_bytes + 1);
  source.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(source.gcount()));
  if (!is_published(bytes))
    return error{errc::damaged,
                 file + " is not the model that this build was tested with",
                 {},
                 "damaged_model"};
  whisper_log_set(write_log, nullptr);
  auto options = whisper_context_default_params();
  options.use_gpu = false;
  options.flash_attn = false;
  const context_ptr context{whisper_init_from_buffer_with_params_no_state(bytes.data(),
                                                                          bytes.size(), options),
                            context_deleter{}};
  if (context == nullptr)
    return error{errc::damaged, "whisper.cpp cannot read " + file, {}, "damaged_model"};
  return decoder_factory{[context] { return std::make_unique<whisper_decoder>(context); }};
}

#else

result<decoder_factory> load_whisper(const std::string&) {
  return error{errc::unavailable, "this program was built without whisper.cpp", {}, "no_engine"};
}

#endif

} // namespace sidevoice
