#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sidevoice {

/// A stretch of a microphone's stream, ms from its begin.
struct sound_range {
  std::uint64_t from_ms = 0;
  std::uint64_t to_ms = 0;

  bool operator==(const sound_range&) const = default;
};

/// What of a microphone's stream has been dealt with: it is not heard again. Words may become known
/// in another order than they were said.
struct stream_position {
  std::string stream;
  /// All that comes before has been dealt with.
  std::uint64_t to_ms = 0;
  /// And these stretches behind it, in their order.
  std::vector<sound_range> heard{};
  /// Stretches whose words were lost: they are heard when their sound comes again.
  std::vector<sound_range> lost{};

  /// A stretch has been dealt with; `open_from`: where the first speech begins whose words are
  /// still to come.
  void hear(sound_range range, std::optional<std::uint64_t> open_from);
  /// The words of a stretch were lost.
  void lose(sound_range range);
  /// Whether most of a stretch has been dealt with: the edges of the same words may be heard a
  /// little elsewhere the next time.
  [[nodiscard]] bool has_heard(sound_range range) const;

  bool operator==(const stream_position&) const = default;
};

} // namespace sidevoice
