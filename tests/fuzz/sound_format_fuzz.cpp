#include "gateway/sound_format.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

using namespace sidevoice;

void must(bool is_so, const char* what) {
  if (is_so)
    return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

} // namespace

/// What a client says is sound, in every encoding: samples, or a named refusal.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(bytes), size};
  for (const auto encoding : {sound_encoding::pcm16, sound_encoding::pcmu, sound_encoding::pcma}) {
    const auto sound = decode_sound(text, encoding);
    if (!sound) {
      must(!sound.error().reason.empty() && !sound.error().detail.empty(), "a nameless refusal");
      must(sound.error().code == errc::invalid, "a refusal that is no fault of the client's");
      continue;
    }
    must(!sound->empty() && sound->size() <= size, "more samples than bytes");
    const auto again = encode_sound(*sound, encoding);
    // Only mu-law has two codes for one value: zero.
    if (encoding != sound_encoding::pcmu)
      must(again == text, "what was decoded is encoded as another text");
    const auto twice = decode_sound(again, encoding);
    must(twice.has_value() && *twice == *sound, "what was encoded is decoded as another sound");
  }
  return 0;
}
