#include "cluster/faulty_parts.hpp"

#include <algorithm>
#include <variant>

namespace sidevoice {

namespace {

error made_on_purpose(errc code, const std::string& what) {
  return {code, "fault made on purpose: " + what, {}, "fault"};
}

} // namespace

// -- switches

std::size_t fault_switches::place(fault_target which) {
  return static_cast<std::size_t>(which) - static_cast<std::size_t>(fault_target::store);
}

void fault_switches::set(fault_target which, std::optional<setting> now) {
  const std::lock_guard lock{mutex_};
  now_.at(place(which)) = std::move(now);
}

void fault_switches::clear() {
  const std::lock_guard lock{mutex_};
  now_ = {};
}

std::optional<fault_switches::setting> fault_switches::get(fault_target which) const {
  const std::lock_guard lock{mutex_};
  return now_.at(place(which));
}

// -- a line of what comes later

struct delay_line::body : std::enable_shared_from_this<delay_line::body> {
  explicit body(loop& on) : where{on} {}

  /// With the lock held.
  void arm() {
    pending = where.after(std::max(loop::clock::duration{0}, waiting.front().first - where.now()),
                          [me = weak_from_this()] {
                            if (const auto self = me.lock())
                              self->run();
                          });
  }

  void run() {
    while (true) {
      loop::task next;
      {
        const std::lock_guard lock{mutex};
        if (waiting.empty())
          return;
        if (waiting.front().first > where.now())
          return arm();
        next = std::move(waiting.front().second);
        waiting.pop_front();
      }
      next();
    }
  }

  loop& where;
  mutable std::mutex mutex;
  std::deque<std::pair<loop::clock::time_point, loop::task>> waiting;
  std::unique_ptr<timer> pending;
};

delay_line::delay_line(loop& where) : body_{std::make_shared<body>(where)} {}

void delay_line::put(std::chrono::milliseconds delay, loop::task what) {
  const std::lock_guard lock{body_->mutex};
  auto at = body_->where.now() + delay;
  if (!body_->waiting.empty())
    at = std::max(at, body_->waiting.back().first);
  body_->waiting.emplace_back(at, std::move(what));
  if (body_->waiting.size() == 1)
    body_->arm();
}

bool delay_line::is_empty() const {
  const std::lock_guard lock{body_->mutex};
  return body_->waiting.empty();
}

// -- the store

faulty_store::faulty_store(store& real, loop& where, const fault_switches& faults)
    : real_{real},
      where_{where},
      faults_{faults},
      late_{where} {}

void faulty_store::submit(store_job job) {
  const auto now = faults_.get(fault_target::store);
  const auto delay = now && now->fault == "slow" ? now->by : std::chrono::milliseconds{0};
  // What is late stays before what comes after it.
  if (delay.count() > 0 || !late_.is_empty()) {
    auto held = std::make_shared<store_job>(std::move(job));
    return late_.put(delay, [this, held] { real_.submit(std::move(*held)); });
  }
  if (!now)
    return real_.submit(std::move(job));
  auto* append = std::get_if<store_task<append_events>>(&job);
  if (now->fault == "unavailable" || (now->fault == "full" && append != nullptr)) {
    const auto why = now->fault == "full"
                       ? made_on_purpose(errc::full, "the disk is full")
                       : made_on_purpose(errc::unavailable, "the store gives no answer");
    return std::visit(
      [&](auto& task) { where_.post([done = std::move(task.done), why] { done(why); }); }, job);
  }
  if (now->fault != "unknown" || append == nullptr)
    return real_.submit(std::move(job));
  auto lost = [done = std::move(append->done)] {
    done(made_on_purpose(errc::unknown_outcome, "the answer is lost"));
  };
  if (unknown_.fetch_add(1, std::memory_order_relaxed) % 2 != 0)
    return where_.post(std::move(lost));
  append->done = [lost = std::move(lost)](const result<appended>&) { lost(); };
  real_.submit(std::move(job));
}

// -- models and engines

namespace {

/// What is under way and says nothing.
class silent_llm final : public llm_stream {};
class silent_tts final : public tts_stream {};

class late_llm final : public llm_stream {
public:
  explicit late_llm(std::shared_ptr<delay_line> line) : line_{std::move(line)} {}
  void hold(std::unique_ptr<llm_stream> real) {
    real_ = std::move(real);
  }

private:
  std::shared_ptr<delay_line> line_;
  std::unique_ptr<llm_stream> real_;
};

class faulty_llm final : public llm_provider {
public:
  faulty_llm(std::unique_ptr<llm_provider> real, loop& where, const fault_switches& faults)
      : real_{std::move(real)},
        where_{where},
        faults_{faults} {}

  result<std::unique_ptr<llm_stream>> open(llm_request request, llm_sink sink) override {
    const auto now = faults_.get(fault_target::llm);
    if (!now)
      return real_->open(std::move(request), std::move(sink));
    if (now->fault == "fail")
      return made_on_purpose(errc::unavailable, "the model fails");
    if (now->fault == "stall")
      return std::unique_ptr<llm_stream>{std::make_unique<silent_llm>()};
    auto line = std::make_shared<delay_line>(where_);
    auto late = std::make_unique<late_llm>(line);
    auto opened = real_->open(std::move(request),
                              [line, by = now->by, sink = std::move(sink)](llm_event event) {
                                auto held = std::make_shared<llm_event>(std::move(event));
                                line->put(by, [sink, held] { sink(std::move(*held)); });
                              });
    if (!opened)
      return opened.error();
    late->hold(std::move(*opened));
    return std::unique_ptr<llm_stream>{std::move(late)};
  }

private:
  std::unique_ptr<llm_provider> real_;
  loop& where_;
  const fault_switches& faults_;
};

/// Utterances meet the fault at their end, since a stream lives as long as its seat.
class faulty_stt_stream final : public stt_stream {
public:
  faulty_stt_stream(std::unique_ptr<stt_stream> real, stt_sink sink, loop& where,
                    const fault_switches& faults)
      : real_{std::move(real)},
        sink_{std::move(sink)},
        where_{where},
        faults_{faults} {}

  void begin(const std::string& utterance) override {
    // As the interface has it: one that is open is ended first.
    if (!open_.empty())
      end();
    open_ = utterance;
    real_->begin(utterance);
  }
  void push(samples_view sound) override {
    real_->push(sound);
  }
  void end() override {
    const auto ended = std::exchange(open_, {});
    const auto now = faults_.get(fault_target::stt);
    if (!now || ended.empty())
      return real_->end();
    real_->cancel(ended);
    if (now->fault == "fail")
      where_.post([sink = sink_, ended] {
        sink(stt_failed{ended, made_on_purpose(errc::unavailable, "the recogniser fails")});
      });
  }
  void cancel(const std::string& utterance) override {
    if (utterance == open_)
      open_.clear();
    real_->cancel(utterance);
  }

private:
  std::unique_ptr<stt_stream> real_;
  stt_sink sink_;
  loop& where_;
  const fault_switches& faults_;
  std::string open_;
};

class faulty_stt final : public stt_provider {
public:
  faulty_stt(std::unique_ptr<stt_provider> real, loop& where, const fault_switches& faults)
      : real_{std::move(real)},
        where_{where},
        faults_{faults} {}

  result<std::unique_ptr<stt_stream>> open(stt_request request, stt_sink sink) override {
    auto opened = real_->open(std::move(request), sink);
    if (!opened)
      return opened.error();
    return std::unique_ptr<stt_stream>{
      std::make_unique<faulty_stt_stream>(std::move(*opened), std::move(sink), where_, faults_)};
  }

private:
  std::unique_ptr<stt_provider> real_;
  loop& where_;
  const fault_switches& faults_;
};

class faulty_tts final : public tts_provider {
public:
  faulty_tts(std::unique_ptr<tts_provider> real, const fault_switches& faults)
      : real_{std::move(real)},
        faults_{faults} {}

  result<std::unique_ptr<tts_stream>> open(tts_request request, tts_sink sink) override {
    const auto now = faults_.get(fault_target::tts);
    if (!now)
      return real_->open(std::move(request), std::move(sink));
    if (now->fault == "fail")
      return made_on_purpose(errc::unavailable, "the voice fails");
    return std::unique_ptr<tts_stream>{std::make_unique<silent_tts>()};
  }

private:
  std::unique_ptr<tts_provider> real_;
  const fault_switches& faults_;
};

} // namespace

catalogue make_faulty_catalogue(const catalogue& real, const fault_switches& faults) {
  catalogue out;
  for (const auto& name : real.llm_names())
    out.add_llm(name,
                [&real, &faults, name](const provider_context& with, const json_text& options)
                  -> result<std::unique_ptr<llm_provider>> {
                  auto made = real.make_llm({name, "", options}, with);
                  if (!made)
                    return made.error();
                  return std::unique_ptr<llm_provider>{
                    std::make_unique<faulty_llm>(std::move(*made), with.where, faults)};
                });
  for (const auto& name : real.stt_names())
    out.add_stt(name,
                [&real, &faults, name](const provider_context& with, const json_text& options)
                  -> result<std::unique_ptr<stt_provider>> {
                  auto made = real.make_stt({name, "", options}, with);
                  if (!made)
                    return made.error();
                  return std::unique_ptr<stt_provider>{
                    std::make_unique<faulty_stt>(std::move(*made), with.where, faults)};
                });
  for (const auto& name : real.tts_names())
    out.add_tts(name,
                [&real, &faults, name](const provider_context& with, const json_text& options)
                  -> result<std::unique_ptr<tts_provider>> {
                  auto made = real.make_tts({name, "", options}, with);
                  if (!made)
                    return made.error();
                  return std::unique_ptr<tts_provider>{
                    std::make_unique<faulty_tts>(std::move(*made), faults)};
                });
  return out;
}

} // namespace sidevoice
