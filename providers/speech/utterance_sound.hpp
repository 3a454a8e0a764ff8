#pragma once

#include "providers/sound.hpp"

#include <cstddef>
#include <vector>

/// Decisions about the sound of an utterance: what is kept of it, whether it is worth listening to,
/// and where it is cut. No clock, no lock.
namespace sidevoice {

/// An utterance keeps its newest minute.
inline constexpr std::size_t utterance_max = std::size_t{60} * speech_rate;

/// A piece that a decoder takes at once.
inline constexpr std::size_t decode_max = std::size_t{29} * speech_rate;

/// Appends, and forgets what is older than a minute. Amortised: up to five seconds more are there
/// until somebody trims them.
void keep_newest(samples& kept, samples_view more);

/// The newest minute of it.
samples_view newest_minute(samples_view sound);

/// Whether anything in it is louder than a quiet room: what is not is never decoded, since
/// recognisers invent words in silence.
bool is_audible(samples_view sound);

/// The sound in pieces of at most 29 s, cut where it is quietest.
std::vector<samples_view> cut_long(samples_view sound);

} // namespace sidevoice
