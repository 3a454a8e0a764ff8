#include "actors/model_line.hpp"

#include "config/log.hpp"
#include "providers/llm_turn.hpp"

#include <algorithm>

namespace sidevoice {

namespace {

using std::chrono::milliseconds;

/// Of a visitor who waits for a place, where another model could begin at once, and where none
/// could. The latter leaves the vendor its own time within the conversation's patience.
constexpr milliseconds place_patience{1'000};
constexpr milliseconds last_place_patience{5'000};

std::uint64_t bytes_of(const llm_request& request) {
  std::uint64_t bytes = request.instructions.size();
  for (const auto& message : request.history)
    bytes += message.text.size() + message.name.size() + 16;
  for (const auto& tool : request.tools)
    bytes += tool.name.size() + tool.description.size() + tool.parameters.size();
  for (const auto& entry : request.board)
    bytes += entry.topic->id.size() + entry.status.size() + entry.value.size() + 16;
  return bytes;
}

} // namespace

model_line::~model_line() {
  release();
}

std::string model_line::model_name() const {
  if (model_ >= what_.choices.size())
    return {};
  const auto& choice = what_.choices[model_];
  return choice.model.empty() ? choice.vendor : choice.vendor + ':' + choice.model;
}

vendor_health::account model_line::account_of(const model_choice& choice) const {
  const auto known = live_->vendors.find(choice.vendor);
  return {what_.app->id, choice.vendor,
          known == live_->vendors.end() ? std::string{} : known->second.key};
}

result<void> model_line::ask(question what, sink to) {
  release();
  what_ = std::move(what);
  to_ = std::move(to);
  live_ = parts_.live_of(what_.app->id);
  trace_ = what_.request.traceparent;
  prompt_tokens_ = estimate_tokens(bytes_of(what_.request));
  return ask_from(0, false);
}

result<void> model_line::ask_next(const error& why) {
  log(log_level::warning, "model.failed",
      {{"session", what_.session},
       {"response", asked_for()},
       {"model", model_name()},
       {"error", to_string(why.code)},
       {"reason", why.reason},
       {"detail", why.detail}});
  parts_.count->add(counter::models_failed);
  span_.failed(why);
  if (parts_.health != nullptr && model_ < what_.choices.size()) {
    parts_.health->failed(account_of(what_.choices[model_]), why, parts_.where->now());
    is_probe_ = false;
  }
  release();
  if (model_ + 1 >= what_.choices.size())
    return why;
  return ask_from(model_ + 1, second_pass_);
}

result<void> model_line::ask_from(std::size_t first, bool also_unhealthy) {
  second_pass_ = also_unhealthy;
  error why{errc::unavailable, "the app names no model for this agent", {}, "no_model"};
  bool passed_over = false;
  for (auto index = first; index < what_.choices.size(); ++index) {
    const auto& choice = what_.choices[index];
    if (!also_unhealthy && !may_ask(choice)) {
      passed_over = true;
      continue;
    }
    auto opened = open(index);
    if (opened)
      return {};
    why = opened.error();
    span_.failed(why);
    release();
    log(why.reason == "no_key" ? log_level::debug : log_level::warning, "model.not_opened",
        {{"session", what_.session},
         {"response", asked_for()},
         {"model", model_name()},
         {"reason", why.reason},
         {"detail", why.detail}});
  }
  // A vendor that has failed lately is better than none.
  if (passed_over)
    return ask_from(first, true);
  return why;
}

bool model_line::may_ask(const model_choice& choice) {
  if (parts_.health == nullptr)
    return true;
  const auto verdict = parts_.health->judge(account_of(choice), parts_.where->now(),
                                            live_->failover.retry_vendor_after);
  is_probe_ = verdict == vendor_health::verdict::probe;
  return verdict != vendor_health::verdict::pass_over;
}

milliseconds model_line::patience(std::size_t index) const {
  return index + 1 < what_.choices.size()
           ? place_patience
           : std::min(live_->failover.first_byte / 2, last_place_patience);
}

result<void> model_line::open(std::size_t index) {
  model_ = index;
  const auto& choice = what_.choices[index];
  provider_context context{*parts_.where, *parts_.ids, *parts_.count, parts_.http};
  context.failover = live_->failover;
  const auto known = live_->vendors.find(choice.vendor);
  const auto has_account = known != live_->vendors.end();
  if (has_account)
    context.account = known->second;
  auto made = parts_.providers->make_llm(choice, context);
  if (!made)
    return made.error();
  price_ = price_of(context.account, choice.vendor, choice.model).value_or(model_price{});
  if (parts_.ledger != nullptr) {
    auto ticket = parts_.ledger->reserve(
      {.app = what_.app->id,
       .session = what_.session,
       .day = day_of(what_.request.wall_ms),
       .estimate = estimate_micro(price_, prompt_tokens_, what_.request.max_output_tokens),
       .session_spent = what_.session_spent,
       .limits = budget_of(live_->limits)});
    if (!ticket) {
      parts_.count->add(counter::budgets_reached);
      return ticket.error();
    }
    ticket_ = std::move(*ticket);
  }
  streamed_ = 0;
  what_.request.traceparent = span_.begin(parts_, trace_, choice, what_.request, what_.session);
  auto sink = [to = to_, index](llm_event event) { to(index, std::move(event)); };
  // What needs no account is this process itself: nobody has to wait for it.
  if (parts_.health != nullptr && has_account) {
    auto opened = open_in_turn(std::move(*made), what_.request, std::move(sink),
                               {.health = *parts_.health,
                                .where = *parts_.where,
                                .who = account_of(choice),
                                .most = context.account.concurrency,
                                .patience = patience(index)});
    if (!opened)
      return opened.error();
    stream_ = std::move(*opened);
    return {};
  }
  auto opened = (*made)->open(what_.request, std::move(sink));
  if (!opened)
    return opened.error();
  provider_ = std::move(*made);
  stream_ = std::move(*opened);
  return {};
}

/// The vendor answers: others need not wait for the end to know it.
void model_line::on_answer() {
  if (!std::exchange(is_probe_, false))
    return;
  parts_.health->worked(account_of(what_.choices[model_]));
}

void model_line::note(std::size_t bytes) {
  on_answer();
  if (bytes != 0)
    span_.on_piece();
  streamed_ += bytes;
  if (ticket_)
    ticket_.note(cost_micro(price_, prompt_tokens_, 0, estimate_tokens(streamed_)));
}

token_usage model_line::finish(const llm_done& done) {
  token_usage usage{.input = done.input_tokens,
                    .output = done.output_tokens,
                    .cached = done.cached_tokens};
  // A vendor that does not tell is taken at its prompt and its words.
  if (usage.input == 0 && usage.output == 0 && price_ != model_price{}) {
    usage.input = prompt_tokens_;
    usage.output = estimate_tokens(streamed_);
  }
  usage.cost = cost_micro(price_, usage.input, usage.cached, usage.output);
  span_.finished(usage, done.reason);
  if (parts_.health != nullptr)
    parts_.health->worked(account_of(what_.choices[model_]));
  is_probe_ = false;
  if (ticket_) {
    const auto warn = parts_.ledger->settle(std::move(ticket_), usage.cost, what_.session_spent,
                                            budget_of(live_->limits));
    if (warn.day)
      log(log_level::warning, "budget.warning",
          {{"session", what_.session}, {"app", what_.app->id}, {"budget", "day"}});
  }
  stream_.reset();
  provider_.reset();
  what_.request = {};
  return usage;
}

void model_line::drop() {
  release();
  // A session that waits for its visitor holds no prompts.
  what_.request = {};
}

void model_line::release() {
  span_.left();
  stream_.reset();
  provider_.reset();
  if (std::exchange(is_probe_, false))
    parts_.health->left(account_of(what_.choices[model_]));
  if (!ticket_)
    return;
  const auto cost =
    streamed_ == 0 ? 0 : cost_micro(price_, prompt_tokens_, 0, estimate_tokens(streamed_));
  parts_.ledger->release(std::move(ticket_), cost, what_.session_spent, budget_of(live_->limits));
}

} // namespace sidevoice
