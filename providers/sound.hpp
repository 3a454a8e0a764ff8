#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

/// Sound within the house: mono, 16 bits a sample, in the machine's byte order. Formats of clients
/// live in gateway/, formats of vendors in their providers.
namespace sidevoice {

using samples = std::vector<std::int16_t>;
using samples_ptr = std::shared_ptr<const samples>;
using samples_view = std::span<const std::int16_t>;

/// The rate that speech is recognised at, in Hz.
inline constexpr std::uint32_t speech_rate = 16'000;

/// A piece of sound with its rate in Hz.
struct sound {
  samples_ptr data;
  std::uint32_t rate = speech_rate;
};

/// Length in milliseconds, rounded down.
constexpr std::uint64_t sound_ms(std::size_t count, std::uint32_t rate) {
  return rate == 0 ? 0 : std::uint64_t{count} * 1000 / rate;
}

} // namespace sidevoice
