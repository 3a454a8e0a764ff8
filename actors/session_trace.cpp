#include "actors/session_state.hpp"

/// The session's own span, from its claim until it serves; those of its turns are `turn_spans`.
namespace sidevoice {

void session_state::trace_claim() {
  if (parts_.traces == nullptr)
    return;
  spans_.emplace(*parts_.traces, who_.app->id, who_.id);
  claim_span_ = parts_.traces->begin({}, "session", span_kind::internal);
  claim_span_.set("session.id", who_.id);
  claim_span_.set("gen_ai.conversation.id", who_.id);
  claim_span_.set("sidevoice.app", who_.app->id);
}

void session_state::trace_take_over(const claimed& session) {
  if (!spans_)
    return;
  claim_span_.set("sidevoice.release", who_.app->release);
  claim_span_.set("sidevoice.restored", session.view->head > 0);
  claim_span_.set("sidevoice.session.epoch", static_cast<std::int64_t>(session.row.epoch));
  claim_span_.set("sidevoice.session.head", static_cast<std::int64_t>(session.view->head));
  claim_span_.end();
  spans_->take_over(*session.view);
}

} // namespace sidevoice
