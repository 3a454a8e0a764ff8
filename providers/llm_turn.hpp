#pragma once

#include "config/loop.hpp"
#include "providers/llm.hpp"
#include "providers/vendor_places.hpp"

#include <chrono>
#include <cstdint>
#include <memory>

namespace sidevoice {

/// How a run comes by one of its account's places.
struct llm_turn {
  vendor_health& health;
  loop& where;
  vendor_health::account who;
  /// `live.vendors.NAME.concurrency`
  std::uint32_t most = 1;
  /// Longest wait for a place.
  std::chrono::milliseconds patience{0};
};

/// Starts a generation as `llm_provider::open` does, when a place is free; until then it waits. The
/// place is held until the stream is destroyed. Takes the provider, which lives as long. One that
/// waits too long ends as llm_failed: `overloaded`, reason "vendor_busy"; so does, with its own
/// error, one that could not be opened then.
result<std::unique_ptr<llm_stream>> open_in_turn(std::unique_ptr<llm_provider> provider,
                                                 llm_request request, llm_sink sink,
                                                 const llm_turn& turn);

} // namespace sidevoice
