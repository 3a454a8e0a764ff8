#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace sidevoice {

/// Counts the voice seats of each app on this node. Any thread.
class seat_register {
public:
  /// Holds a place until it is destroyed; the register may be gone by then.
  using ticket = std::shared_ptr<void>;

  /// Null: `most` seats of this app are taken.
  ticket take(const std::string& app, std::optional<std::uint32_t> most) {
    auto& seats = *seats_;
    const std::lock_guard lock{seats.mutex};
    auto& taken = seats.taken[app];
    if (most && taken >= *most)
      return nullptr;
    ++taken;
    // The handle is of no use but for its end.
    return {&seats, [kept = seats_, app](void*) {
              const std::lock_guard guard{kept->mutex};
              --kept->taken[app];
            }};
  }

private:
  struct counts {
    std::mutex mutex;
    std::map<std::string, std::uint32_t> taken;
  };
  std::shared_ptr<counts> seats_ = std::make_shared<counts>();
};

} // namespace sidevoice
