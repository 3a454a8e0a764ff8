#pragma once

#include "config/counters.hpp"
#include "config/loop.hpp"
#include "gateway/key_ring.hpp"
#include "gateway/open_links.hpp"
#include "persistence/store.hpp"

#include <functional>
#include <memory>

namespace sidevoice {

struct key_watch_parts {
  /// All of them outlive the watch.
  store* keys = nullptr;
  loop* where = nullptr;
  counters* count = nullptr;
  std::shared_ptr<key_ring> ring;
  std::shared_ptr<open_links> links;
  std::chrono::milliseconds interval{500};
};

/// Follows the keys of the store: new ones open, and the sockets of revoked ones are closed. Asks
/// every half second; the store answers without a list while nothing has changed. On the loop's
/// thread.
class key_watch {
public:
  explicit key_watch(key_watch_parts parts);
  key_watch(const key_watch&) = delete;
  key_watch& operator=(const key_watch&) = delete;
  /// An answer that is still under way is ignored.
  ~key_watch();

  /// Asks for the first time; `done` hears whether the store has answered with a list. Then goes on
  /// by itself.
  void start(std::function<void(result<void>)> done);

private:
  struct state;
  std::shared_ptr<state> state_;
};

} // namespace sidevoice
