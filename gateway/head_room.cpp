#include "gateway/head_room.hpp"

#include "config/log.hpp"
#include "gateway/routes.hpp"

#include <caf/all.hpp>

#include <algorithm>
#include <cstdio>
#include <string>

namespace sidevoice {

namespace {

constexpr std::chrono::milliseconds pause_between_looks{100};
/// Of a node that may use one core; a start costs about a millisecond of one.
constexpr double starts_a_core = 250;
constexpr rate_limit level_lines{10, std::chrono::seconds{6}};
constexpr rate_limit refusal_lines{5, std::chrono::seconds{5}};

std::string text_of(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", value);
  return text;
}

admission_limits for_cores(admission_limits limits, double cores) {
  limits.start_rate = std::max(20.0, starts_a_core * cores);
  limits.cores = cores;
  return limits;
}

} // namespace

http_response refuse_overload(std::chrono::milliseconds wait, id_source& ids) {
  auto response = to_response({503, overload_code,
                               "The server has no room for another conversation just now; those "
                               "under way go on. Try again after the time in Retry-After."});
  const auto least = std::max<std::int64_t>(1,
                                            std::chrono::ceil<std::chrono::seconds>(wait).count());
  // Whoever was refused together must not come back together.
  const auto extra =
    static_cast<std::int64_t>(ids.random() % static_cast<std::uint64_t>(least + 1));
  response.fields.push_back({"Retry-After", std::to_string(least + extra)});
  response.close = true;
  return response;
}

head_room::head_room(head_room_parts parts, admission_limits limits)
    : parts_(parts),
      limits_(limits),
      admission_(for_cores(limits, process_.cores())) {}

void head_room::start() {
  if (!limits_.enabled)
    return;
  process_.look(parts_.where->now());
  look_later();
}

void head_room::stop() {
  const std::lock_guard lock{mutex_};
  stopped_ = true;
  timer_.reset();
}

void head_room::look_later() {
  due_ = parts_.where->now() + pause_between_looks;
  auto next = parts_.where->after(pause_between_looks, [weak = weak_from_this()] {
    if (const auto self = weak.lock())
      self->look();
  });
  const std::lock_guard lock{mutex_};
  if (!stopped_)
    timer_ = std::move(next);
}

void head_room::look() {
  const auto now = parts_.where->now();
  const auto use = process_.look(now);
  const load_sample sample{.at = now,
                           .loop_delay =
                             std::chrono::duration_cast<std::chrono::microseconds>(now - due_),
                           .actor_delay = delay_of(*actors_),
                           .store_delay = delay_of(*store_),
                           .cpu = use.cpu,
                           .throttled = use.throttled,
                           .memory = use.memory,
                           .descriptors = use.descriptors,
                           .sessions = sessions()};
  ask_actors();
  ask_store();
  std::optional<shedding> changed;
  double headroom = 1;
  {
    const std::lock_guard lock{mutex_};
    newest_ = sample;
    if (admission_.take(sample))
      changed = admission_.level();
    headroom = admission_.headroom();
  }
  if (changed)
    tell_level(*changed, headroom);
  look_later();
}

std::size_t head_room::sessions() const {
  return parts_.sessions ? parts_.sessions() : 0;
}

std::chrono::microseconds head_room::delay_of(const probe& one) const {
  const std::chrono::microseconds took{one.took_us.load(std::memory_order_relaxed)};
  if (!one.out.load(std::memory_order_acquire))
    return took;
  const auto age = parts_.where->now() - one.sent_at;
  return std::max(took, std::chrono::duration_cast<std::chrono::microseconds>(age));
}

namespace {

template <class Probe>
void note_answer(Probe& one, loop::clock::time_point now) {
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(now - one.sent_at);
  one.took_us.store(took.count(), std::memory_order_relaxed);
  one.out.store(false, std::memory_order_release);
}

} // namespace

/// An actor that lives for this question alone waits in the same queue as everybody's messages.
void head_room::ask_actors() {
  if (actors_->out.load(std::memory_order_acquire))
    return;
  actors_->sent_at = parts_.where->now();
  actors_->out.store(true, std::memory_order_release);
  parts_.sys->spawn<caf::hidden>([one = actors_, where = parts_.where](caf::event_based_actor*) {
    note_answer(*one, where->now());
  });
}

/// The smallest question there is: it waits behind all appends.
void head_room::ask_store() {
  if (parts_.journal == nullptr || store_->out.load(std::memory_order_acquire))
    return;
  store_->sent_at = parts_.where->now();
  store_->out.store(true, std::memory_order_release);
  parts_.journal->ask(get_spend{},
                      [one = store_, where = parts_.where](const result<spend_found>&) {
                        note_answer(*one, where->now());
                      });
}

void head_room::tell_level(shedding level, double headroom) {
  if (told_.take(level_lines, parts_.where->now()).count() != 0)
    return;
  const auto now = figures();
  std::string why;
  {
    const std::lock_guard lock{mutex_};
    why = admission_.tightest();
  }
  const auto ms = [](std::chrono::microseconds delay) {
    return std::to_string(delay.count() / 1000);
  };
  log(level == shedding::nothing ? log_level::info : log_level::warning, "overload.level",
      {{"refuses", std::string{to_string(level)}},
       {"headroom", text_of(headroom)},
       {"tightest", why},
       {"loop_ms", ms(now.sample.loop_delay)},
       {"actors_ms", ms(now.sample.actor_delay)},
       {"store_ms", ms(now.sample.store_delay)},
       {"cpu", text_of(now.sample.cpu)},
       {"new_sessions_per_s", text_of(now.rate)}});
}

std::optional<http_response> head_room::refuse(newcomer who) {
  std::chrono::milliseconds wait{0};
  auto level = shedding::nothing;
  bool told = false;
  {
    const std::lock_guard lock{mutex_};
    if (stopped_)
      return std::nullopt;
    const auto now = parts_.where->now();
    wait = admission_.admit(who, now, sessions());
    if (wait.count() == 0)
      return std::nullopt;
    level = admission_.level();
    told = logged_.take(refusal_lines, now).count() == 0;
  }
  if (told)
    log(log_level::warning, "session.shed",
        {{"because", level == shedding::nothing ? "too many begin at once" : "overload"},
         {"refuses", std::string{to_string(level)}}});
  return refuse_overload(wait, *parts_.ids);
}

bool head_room::may_begin_to_talk() {
  {
    const std::lock_guard lock{mutex_};
    if (stopped_ || admission_.may_begin_to_talk())
      return true;
  }
  parts_.count->add(counter::seats_shed);
  return false;
}

head_room_figures head_room::figures() const {
  const std::lock_guard lock{mutex_};
  return {.level = admission_.level(),
          .headroom = admission_.headroom(),
          .rate = admission_.rate(),
          .room = std::max(0.0, admission_.room()),
          .sample = newest_};
}

} // namespace sidevoice
