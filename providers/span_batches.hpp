#pragma once

#include "providers/http.hpp"
#include "providers/span.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

/// Which spans wait, which go together, and what a collector's answer means. Pure.
namespace sidevoice {

class span_batches {
public:
  struct limits {
    std::size_t queue_max = 2048;
    std::size_t batch_max = 512;
  };

  explicit span_batches(limits how) : how_(how) {}

  /// False: the oldest one had to go for it.
  [[nodiscard]] bool add(span_record span);

  /// The oldest ones, as many as go together.
  [[nodiscard]] std::vector<span_record> take();

  /// There is enough to go now.
  [[nodiscard]] bool has_batch() const {
    return waiting_.size() >= how_.batch_max;
  }
  [[nodiscard]] std::size_t size() const {
    return waiting_.size();
  }

private:
  limits how_;
  std::deque<span_record> waiting_;
};

/// What to do with a batch after one try.
struct export_verdict {
  enum class what { taken, again, refused };

  what next = what::taken;
  /// Before it is tried again.
  std::chrono::milliseconds pause{0};
};

/// By status: 2xx is taken, 429, 502, 503 and 504 are tried again, any other is refused. `tries`
/// counts this one; the fifth is the last. The pause doubles from one second to 16, or is what the
/// collector asked for (`Retry-After` in seconds, at most a minute), and has up to a half more by
/// `random`.
export_verdict judge_export(const http_head& head, unsigned tries, std::uint64_t random);

/// The same for a try without an answer.
export_verdict judge_export_failure(const error& why, unsigned tries, std::uint64_t random);

} // namespace sidevoice
