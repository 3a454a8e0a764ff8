#include "actors/tracer.hpp"

#include <fmt/format.h>

#include <utility>

namespace sidevoice {

// -- a span

live_span::live_span(live_span&& other) noexcept
    : owner_(std::exchange(other.owner_, nullptr)),
      record_(std::move(other.record_)),
      begun_(other.begun_) {}

live_span& live_span::operator=(live_span&& other) noexcept {
  owner_ = std::exchange(other.owner_, nullptr);
  record_ = std::move(other.record_);
  begun_ = other.begun_;
  return *this;
}

std::string live_span::traceparent() const {
  return owner_ != nullptr ? to_traceparent(record_.self) : std::string{};
}

void live_span::set(std::string key, span_attribute::value_type value) {
  if (owner_ != nullptr && record_.self.sampled)
    record_.attributes.push_back({std::move(key), std::move(value)});
}

void live_span::event(std::string name) {
  if (owner_ != nullptr && record_.self.sampled)
    record_.events.push_back({std::move(name), owner_->wall_ns()});
}

std::int64_t live_span::age_ms() const {
  if (owner_ == nullptr)
    return 0;
  return std::chrono::duration_cast<std::chrono::milliseconds>(owner_->where_.now() - begun_)
    .count();
}

void live_span::end(std::string failure) {
  if (owner_ == nullptr)
    return;
  if (!failure.empty())
    set("error.type", failure);
  record_.failure = std::move(failure);
  std::exchange(owner_, nullptr)->end(*this);
}

// -- the tracer

std::int64_t tracer::wall_ns() const {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(where_.wall().time_since_epoch())
    .count();
}

trace_context tracer::named(std::string_view trace, std::string_view span) const {
  trace_context out{named_trace_id(trace, 16), named_trace_id(span, 8)};
  out.sampled = sampler_.takes(out.trace);
  return out;
}

live_span tracer::begin_as(trace_context self, std::string parent, std::string name,
                           span_kind kind) {
  live_span out;
  out.owner_ = this;
  out.begun_ = where_.now();
  out.record_.self = std::move(self);
  if (!out.record_.self.sampled)
    return out;
  out.record_.parent = std::move(parent);
  out.record_.name = std::move(name);
  out.record_.kind = kind;
  out.record_.start_ns = wall_ns();
  return out;
}

live_span tracer::begin(const std::string& traceparent, std::string name, span_kind kind) {
  // Zero is no id; one in 2^64 of the numbers is worth this sentence.
  const auto id = [this] {
    return fmt::format("{:016x}", std::max<std::uint64_t>(1, ids_.random()));
  };
  if (auto above = read_traceparent(traceparent)) {
    auto parent = std::exchange(above->span, id());
    return begin_as(std::move(*above), std::move(parent), std::move(name), kind);
  }
  trace_context self{id() + id(), id()};
  self.sampled = sampler_.takes(self.trace);
  return begin_as(std::move(self), {}, std::move(name), kind);
}

void tracer::backdate(live_span& span, std::chrono::nanoseconds by) {
  if (!span || by.count() <= 0 || by > std::chrono::minutes{1})
    return;
  span.begun_ -= std::chrono::duration_cast<loop::clock::duration>(by);
  span.record_.start_ns -= by.count();
}

void tracer::backdate_to(live_span& span, std::int64_t at_ms) {
  if (span)
    backdate(span,
             std::chrono::nanoseconds{span.record_.start_ns} - std::chrono::milliseconds{at_ms});
}

void tracer::end(live_span& span) {
  if (!span.record_.self.sampled)
    return;
  auto record = std::move(span.record_);
  // By elapsed time: the time of day may have been set meanwhile.
  record.end_ns =
    record.start_ns
    + std::chrono::duration_cast<std::chrono::nanoseconds>(where_.now() - span.begun_).count();
  to_.take(std::move(record));
}

} // namespace sidevoice
