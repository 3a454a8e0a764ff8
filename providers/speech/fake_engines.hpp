#pragma once

#include "config/counters.hpp"
#include "config/loop.hpp"
#include "providers/speech/engines.hpp"

#include <chrono>
#include <memory>
#include <string>

/// Speech engines by script, to measure a node by (`sidevoice serve --fake-speech`): the voice
/// activity is the real one, words and sound cost next to nothing and come in a fixed time.
namespace sidevoice {

/// What every utterance with any sound in it says.
inline constexpr const char* fake_sentence = "I would like to move to Berlin.";
/// From an utterance's end to its words.
inline constexpr std::chrono::milliseconds fake_stt_delay{100};

inline constexpr std::uint32_t fake_tts_ms_per_byte = 60;
inline constexpr std::chrono::milliseconds fake_tts_piece{100};
/// Between pieces, and from the request to the first one: 20 times real time.
inline constexpr std::chrono::milliseconds fake_tts_pace{5};

/// `options.models` is read for the voice activity; without its model the energy gate takes its
/// place and the gap is told. There is no end-of-turn model. `where` and `count` outlive it;
/// streams need not be gone before it.
std::unique_ptr<speech_engines> make_fake_speech(const speech_options& options, loop& where,
                                                 counters& count);

} // namespace sidevoice
