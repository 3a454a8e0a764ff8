#pragma once

#include "providers/speech/engines.hpp"

#include <string>

namespace sidevoice {

/// Why a part ("stt" or "tts") cannot be used: `unavailable`, reason "no_model", with the way to
/// get it. `engines` may be null. `name`: the part in words.
inline error gap_error(const speech_engines* engines, const std::string& part,
                       const std::string& name) {
  auto detail = "there is no " + name;
  if (engines == nullptr)
    return {errc::unavailable, detail + ": this node was started without speech", {}, "no_model"};
  for (const auto& gap : engines->missing())
    if (gap.part == part)
      detail += ": " + gap.why + "; " + gap.remedy;
  return {errc::unavailable, std::move(detail), {}, "no_model"};
}

} // namespace sidevoice
