#pragma once

#include "config/counters.hpp"
#include "config/ids.hpp"
#include "config/loop.hpp"
#include "config/rate.hpp"
#include "gateway/admission.hpp"
#include "gateway/http.hpp"
#include "gateway/process_load.hpp"
#include "persistence/store.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

namespace caf {
class actor_system;
} // namespace caf

namespace sidevoice {

/// What the measuring needs; all of it outlives the object.
struct head_room_parts {
  caf::actor_system* sys = nullptr;
  loop* where = nullptr;
  counters* count = nullptr;
  id_source* ids = nullptr;
  /// Null: its delay is not measured.
  store* journal = nullptr;
  /// Sessions with running actors, any thread; empty: nobody knows.
  std::function<std::size_t()> sessions = {};
};

/// What is measured, for /metrics.
struct head_room_figures {
  shedding level = shedding::nothing;
  double headroom = 1;
  double rate = 0;
  double room = 0;
  load_sample sample;
};

/// Measures ten times a second what the node has left, and asks `admission` for each new session.
/// Measuring is on the loop's thread; questions come on any.
class head_room : public std::enable_shared_from_this<head_room> {
public:
  head_room(head_room_parts parts, admission_limits limits);

  /// Begins to measure. Once.
  void start();
  /// Measures no more, and lets whoever asks in.
  void stop();

  /// A refusal (503 `server_overloaded` with Retry-After), unless the session may begin.
  std::optional<http_response> refuse(newcomer who);

  /// False: voice for a session that has not talked yet has to wait. Counted in `seats_shed`.
  bool may_begin_to_talk();

  [[nodiscard]] head_room_figures figures() const;

private:
  /// A question that is under way: its delay is at least its age.
  struct probe {
    std::atomic<bool> out{false};
    std::atomic<std::int64_t> took_us{0};
    loop::clock::time_point sent_at;
  };

  void look_later();
  void look();
  void ask_actors();
  void ask_store();
  [[nodiscard]] std::size_t sessions() const;
  [[nodiscard]] std::chrono::microseconds delay_of(const probe& one) const;
  void tell_level(shedding level, double headroom);

  head_room_parts parts_;
  admission_limits limits_;
  process_load process_;
  loop::clock::time_point due_;
  std::unique_ptr<timer> timer_;
  std::shared_ptr<probe> actors_ = std::make_shared<probe>();
  std::shared_ptr<probe> store_ = std::make_shared<probe>();
  rate_bucket told_;

  mutable std::mutex mutex_;
  bool stopped_ = false;
  admission admission_;
  load_sample newest_;
  rate_bucket logged_;
};

/// 503 `server_overloaded`; Retry-After is between `wait` and twice that.
http_response refuse_overload(std::chrono::milliseconds wait, id_source& ids);

} // namespace sidevoice
