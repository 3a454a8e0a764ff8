#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace sidevoice {

/// Gives a number below its argument; `lab::dice::roll` is one.
using roll_dice = std::function<std::uint64_t(std::uint64_t below)>;

/// What power losses have made of sectors that were not synced.
struct power_tally {
  std::uint64_t kept = 0;
  std::uint64_t lost = 0;
  /// Written more than once since the last sync: a version in between survived.
  std::uint64_t older = 0;
  /// Part of one version, part of the one before it.
  std::uint64_t torn = 0;
};

/// A file of `faulty_disk`: the bytes that programs see, and what is needed to say which of them a
/// power loss leaves. Bytes survive in sectors of 512, each for itself; the size survives by
/// itself.
class disk_file {
public:
  static constexpr std::size_t sector_size = 512;
  /// What the system caches and writes as one.
  static constexpr std::size_t page_size = 4096;

  [[nodiscard]] const std::string& bytes() const {
    return now_;
  }

  void write(std::string_view bytes, std::size_t at);
  void resize(std::size_t size);

  /// Makes everything durable, but for what `forget` was called on and nobody has written since.
  void sync();

  /// A sync failed, and as Linux does it, the system takes what it could not write for clean: it is
  /// seen until the power goes, but no later sync makes it durable unless it is written again.
  void forget();

  /// The power goes: of what was not synced, each sector is kept, lost or torn as the dice say, now
  /// and then all of it alike.
  void lose(const roll_dice& roll, power_tally& tally);

private:
  /// Undoes a change within one page.
  struct change {
    std::size_t at = 0;
    std::size_t size = 0;
    /// Shorter than `size` where the file ended.
    std::string before;
    bool forgotten = false;
  };

  void note(std::size_t at, std::size_t size);
  static void undo(const change& last, std::string& image);

  std::string now_;
  /// Since the last sync, in their order.
  std::vector<change> changes_;
  /// Sizes that the file had since the last sync, before the one that it has.
  std::vector<std::size_t> sizes_;
};

} // namespace sidevoice
