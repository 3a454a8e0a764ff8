#include "providers/speech/flite_speaker.hpp"

#include <flite/flite.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <mutex>
#include <string_view>
#include <utility>

// flite keeps the voice it has registered in these, and gives it to whoever asks next. No header of
// it names them.
extern "C" {
cst_voice* register_cmu_us_slt(const char*);
cst_voice* register_cmu_us_rms(const char*);
cst_voice* register_cmu_us_awb(const char*);
cst_voice* register_cmu_us_kal16(const char*);
extern cst_voice* cmu_us_slt_cg;
extern cst_voice* cmu_us_rms_cg;
extern cst_voice* cmu_us_awb_cg;
extern cst_voice* cmu_us_kal16_diphone;
}

namespace sidevoice {

namespace {

struct known_voice {
  std::string_view name;
  cst_voice* (*make)(const char*);
  cst_voice** registered;
};

const std::array<known_voice, 4>& known_voices() {
  static const std::array<known_voice, 4> all{{
    {"slt", register_cmu_us_slt, &cmu_us_slt_cg},
    {"rms", register_cmu_us_rms, &cmu_us_rms_cg},
    {"awb", register_cmu_us_awb, &cmu_us_awb_cg},
    {"kal16", register_cmu_us_kal16, &cmu_us_kal16_diphone},
  }};
  return all;
}

struct voice_deleter {
  void operator()(cst_voice* v) const {
    delete_voice(v);
  }
};
struct utterance_deleter {
  void operator()(cst_utterance* u) const {
    delete_utterance(u);
  }
};
using voice_ptr = std::unique_ptr<cst_voice, voice_deleter>;

/// A voice that nobody else has: flite's voices count references without a lock, so that two
/// threads cannot share one. The registered one is taken out, and the next call makes another.
voice_ptr make_voice(const known_voice& known) {
  static std::mutex guard;
  const std::lock_guard lock{guard};
  static const int initialised = flite_init();
  static_cast<void>(initialised);
  *known.registered = nullptr;
  voice_ptr made{known.make(nullptr)};
  *known.registered = nullptr;
  return made;
}

/// Sound of at least this length at a time: less would only be glued together again.
constexpr int piece_samples = 512;

/// One call of `speak`, as flite's callback sees it.
struct call {
  const speech_output* to;
  bool has_begun = false;
  bool is_stopped = false;
  /// Samples of the beginning that are left out.
  int skip = 0;
};

/// flite begins with some 200 ms of silence; this much of it is kept.
constexpr float silence_kept = 0.04F;

/// Seconds of the silence at the beginning that nobody needs to wait for.
float needless_silence(cst_utterance* u) {
  if (utt_relation_present(u, "Segment") == 0)
    return 0;
  const auto* first = relation_head(utt_relation(u, "Segment"));
  if (first == nullptr || std::string_view{item_feat_string(first, "name")} != "pau")
    return 0;
  return std::max(item_feat_float(first, "end") - silence_kept, 0.0F);
}

/// Ends of words are known before the first sample is made.
void tell_marks(cst_utterance* u, float skipped, const speech_output& to) {
  if (utt_relation_present(u, "Token") == 0)
    return;
  std::size_t last = 0;
  for (auto* token = relation_head(utt_relation(u, "Token")); token != nullptr;
       token = item_next(token)) {
    const auto* word = item_last_daughter(token);
    if (word == nullptr || item_feat_present(token, "file_pos") == 0)
      continue;
    const auto position = item_feat_int(token, "file_pos");
    const auto end = ffeature_float(word, "R:SylStructure.daughtern.daughtern.R:Segment.end")
                     - skipped;
    if (position < 0 || static_cast<std::size_t>(position) < last || !(end > 0))
      continue;
    last = static_cast<std::size_t>(position);
    to.mark(last, static_cast<std::uint32_t>(std::lround(end * 1000)));
  }
}

int on_sound(const cst_wave* wave, int start, int size, int /*last*/,
             cst_audio_streaming_info* info) {
  auto& one = *static_cast<call*>(info->userdata);
  if (!std::exchange(one.has_begun, true) && info->utt != nullptr) {
    auto* u = const_cast<cst_utterance*>(info->utt);
    const auto skipped = needless_silence(u);
    one.skip = static_cast<int>(skipped * static_cast<float>(wave->sample_rate));
    tell_marks(u, skipped, *one.to);
  }
  const auto skipped = std::clamp(one.skip - start, 0, size);
  if (size <= skipped)
    return CST_AUDIO_STREAM_CONT;
  const samples_view piece{wave->samples + start + skipped,
                           static_cast<std::size_t>(size - skipped)};
  one.is_stopped = !one.to->sound(piece, static_cast<std::uint32_t>(wave->sample_rate));
  return one.is_stopped ? CST_AUDIO_STREAM_STOP : CST_AUDIO_STREAM_CONT;
}

class flite_speaker final : public speaker {
public:
  result<void> speak(const spoken_text& what, const speech_output& to) override {
    auto* voice = voice_named(what.voice);
    if (voice == nullptr)
      return error{errc::not_found, "flite has no voice " + what.voice, "voice", "no_voice"};
    call one{&to};
    // The utterance that it is copied into frees it.
    auto* info = new_audio_streaming_info();
    info->min_buffsize = piece_samples;
    info->asc = on_sound;
    info->userdata = &one;
    feat_set(voice->features, "streaming_info", audio_streaming_info_val(info));
    feat_set_float(voice->features, "duration_stretch", static_cast<float>(1.0 / what.speed));
    const std::unique_ptr<cst_utterance, utterance_deleter> said{
      flite_synth_text(what.text.c_str(), voice)};
    feat_remove(voice->features, "streaming_info");
    if (said == nullptr && !one.is_stopped)
      return error{errc::damaged, "flite cannot say this", {}, "engine"};
    return {};
  }

private:
  cst_voice* voice_named(std::string_view name) {
    if (const auto made = voices_.find(name); made != voices_.end())
      return made->second.get();
    for (const auto& known : known_voices())
      if (known.name == name)
        return voices_.emplace(name, make_voice(known)).first->second.get();
    return nullptr;
  }

  std::map<std::string, voice_ptr, std::less<>> voices_;
};

} // namespace

const std::vector<std::string>& flite_voices() {
  static const auto names = [] {
    std::vector<std::string> out;
    for (const auto& one : known_voices())
      out.emplace_back(one.name);
    return out;
  }();
  return names;
}

speaker_factory make_flite() {
  return [] { return std::make_unique<flite_speaker>(); };
}

} // namespace sidevoice
