#include "actors/model_span.hpp"

#include "config/id_shape.hpp"

#include <utility>

namespace sidevoice {

namespace {

/// OpenTelemetry's names of vendors, where it has one.
std::string provider_name(const std::string& vendor) {
  return vendor == "azure" ? "azure.ai.openai" : vendor;
}

std::int64_t number(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

} // namespace

std::string model_span::begin(const node_parts& parts, const std::string& parent,
                              const model_choice& choice, const llm_request& request,
                              const std::string& session) {
  if (parts.traces == nullptr)
    return parent;
  has_begun_ = false;
  span_ = parts.traces->begin(parent, "llm", span_kind::client);
  span_.set("gen_ai.operation.name", std::string{"chat"});
  span_.set("gen_ai.provider.name", provider_name(choice.vendor));
  if (!choice.model.empty())
    span_.set("gen_ai.request.model", choice.model);
  span_.set("gen_ai.request.max_tokens", std::int64_t{request.max_output_tokens});
  span_.set("gen_ai.output.type", std::string{"text"});
  span_.set("session.id", session);
  span_.set("gen_ai.conversation.id", session);
  span_.set("sidevoice.purpose",
            std::string{request.purpose == llm_purpose::analyze ? "analyze" : "converse"});
  return span_.traceparent();
}

void model_span::on_piece() {
  if (!span_ || std::exchange(has_begun_, true))
    return;
  span_.event("first_token");
  span_.set("sidevoice.first_token_ms", span_.age_ms());
}

void model_span::finished(const token_usage& usage, const std::string& reason) {
  if (!span_)
    return;
  span_.set("gen_ai.usage.input_tokens", number(usage.input));
  span_.set("gen_ai.usage.output_tokens", number(usage.output));
  span_.set("gen_ai.usage.cache_read.input_tokens", number(usage.cached));
  span_.set("sidevoice.cost_micro_eur", number(usage.cost));
  if (has_id_shape(reason))
    span_.set("gen_ai.response.finish_reasons", std::vector<std::string>{reason});
  span_.end();
}

void model_span::failed(const error& why) {
  if (span_)
    span_.end(has_id_shape(why.reason) ? why.reason : to_string(why.code));
}

void model_span::left() {
  if (!span_)
    return;
  span_.set("sidevoice.cancelled", true);
  span_.end();
}

} // namespace sidevoice
