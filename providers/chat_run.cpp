#include "providers/chat_run.hpp"

#include "config/log.hpp"

#include <algorithm>
#include <utility>

namespace sidevoice {

namespace {

constexpr unsigned retries_max = 2;
/// A whole answer, or the body of a refusal.
constexpr std::size_t body_bytes_max = 2 << 20;
constexpr std::size_t fault_bytes_max = 64 << 10;
/// A stream repeats some hundred bytes of frame for each token.
constexpr std::size_t stream_bytes_max = 64 << 20;
/// After the end mark the connection is left to end by itself, so that it can be used again.
constexpr std::chrono::milliseconds linger{50};

error failure(const char* what, const char* reason) {
  return {errc::unavailable, what, {}, reason};
}

bool is_connection_failure(const error& why) {
  return why.reason == "resolve" || why.reason == "connect" || why.reason == "cut";
}

bool has_type(const http_head& head, std::string_view type) {
  return std::string_view{head.field("content-type")}.starts_with(type);
}

} // namespace

chat_run::chat_run(const provider_context& context, std::shared_ptr<const chat_endpoint> endpoint,
                   llm_request request, llm_sink sink)
    : context_(context),
      endpoint_(std::move(endpoint)),
      request_(std::move(request)),
      sink_(std::move(sink)) {}

void chat_run::start() {
  make_body();
  begin_ = context_.where.now();
  context_.where.post([self = shared_from_this()] { self->attempt(); });
}

void chat_run::cancel() {
  is_cancelled_ = true;
  release();
}

void chat_run::release() {
  // They go outside the lock: what they own may ask for it.
  std::unique_ptr<http_transfer> transfer;
  std::unique_ptr<timer> watch;
  std::unique_ptr<timer> wait;
  const std::lock_guard guard{mutex_};
  transfer = std::move(transfer_);
  watch = std::move(watch_);
  wait = std::move(wait_);
}

void chat_run::make_body() {
  body_ = make_chat_request(request_, endpoint_->options, endpoint_->dialect);
}

void chat_run::attempt() {
  if (is_cancelled_ || is_over_)
    return;
  const auto number = ++attempt_;
  head_ = {};
  kind_ = body_kind::stream;
  text_.clear();
  has_event_ = false;
  done_.reset();
  parser_.emplace();
  chat_stream::options options;
  // Four bytes a token: the rule of thumb for text of Latin letters.
  options.input_tokens_estimate = body_.size() / 4 + 1;
  for (const auto& message : request_.history)
    if (message.role == llm_role::function_call)
      options.taken_ids.insert(message.call_id);
  options.vendor = endpoint_->vendor;
  options.secret = endpoint_->key;
  answer_.emplace(context_.ids, std::move(options));
  http_call call;
  call.url = endpoint_->url;
  call.fields = endpoint_->fields;
  if (!request_.traceparent.empty())
    call.fields.push_back({"traceparent", request_.traceparent});
  call.body = body_;
  if (request_.app != nullptr)
    call.owner = request_.app->id;
  call.answer_bytes_max = stream_bytes_max;
  call.private_addresses = endpoint_->private_addresses;
  auto transfer =
    context_.http->start(std::move(call), [weak = weak_from_this(), number](http_event event) {
      const auto self = weak.lock();
      if (self != nullptr && !self->is_cancelled_ && !self->is_over_ && self->attempt_ == number)
        self->on_http(std::move(event));
    });
  {
    const std::lock_guard guard{mutex_};
    if (!is_cancelled_)
      std::swap(transfer, transfer_);
  }
  watch(begin_ + context_.failover.first_byte - context_.where.now());
}

void chat_run::on_http(http_event event) {
  if (auto* head = std::get_if<http_head>(&event))
    return on_head(std::move(*head));
  if (const auto* bytes = std::get_if<http_bytes>(&event))
    return on_bytes(bytes->data);
  if (auto* failed = std::get_if<http_failed>(&event))
    return on_failed(std::move(failed->why));
  on_end();
}

void chat_run::on_head(http_head head) {
  head_ = std::move(head);
  log(log_level::debug, "a language model answers",
      {{"vendor", endpoint_->vendor},
       {"status", std::to_string(head_.status)},
       {"retries", std::to_string(retries_)},
       {"request_id", safe_name(head_.field("x-request-id"), endpoint_->key)}});
  if (head_.status < 200 || head_.status >= 300)
    kind_ = body_kind::fault;
  else if (has_type(head_, "application/json"))
    kind_ = body_kind::whole;
  else if (has_type(head_, "text/html"))
    give_up(failure("the server answered with a web page; check the vendor's address",
                    "bad_answer"),
            false);
}

void chat_run::on_bytes(const std::string& data) {
  if (kind_ == body_kind::stream) {
    auto events = parser_->take(data);
    if (!events)
      return give_up(std::move(events).error(), false);
    return take_events(*events);
  }
  if (kind_ == body_kind::whole) {
    has_event_ = true;
    last_event_ = context_.where.now();
  }
  const auto most = kind_ == body_kind::fault ? fault_bytes_max : body_bytes_max;
  text_ += data.substr(0, most + 1 - std::min(most + 1, text_.size()));
  if (text_.size() <= most)
    return;
  if (kind_ == body_kind::fault)
    return on_fault();
  give_up(failure("the model's answer is too large", "too_large"), false);
}

void chat_run::take_events(const std::vector<sse_event>& events) {
  for (const auto& event : events) {
    if (is_over_ || is_cancelled_)
      return;
    has_event_ = true;
    last_event_ = context_.where.now();
    take(answer_->take(event.data));
  }
}

void chat_run::on_end() {
  if (done_)
    return finish(std::move(*done_));
  switch (kind_) {
    case body_kind::fault:
      return on_fault();
    case body_kind::whole:
      take(answer_->take_whole(text_));
      break;
    case body_kind::stream:
      if (const auto last = parser_->end())
        take(answer_->take_last(last->data));
      if (!is_over_ && !is_cancelled_)
        take(answer_->end());
      break;
  }
  if (done_ && !is_over_)
    finish(std::move(*done_));
}

void chat_run::on_failed(error why) {
  if (done_)
    return finish(std::move(*done_));
  if (kind_ == body_kind::fault && head_.status != 0)
    return on_fault();
  // All but the usage is there.
  if (answer_->has_finish()) {
    take(answer_->end());
    return on_end();
  }
  const bool is_worth_it = is_connection_failure(why);
  give_up(std::move(why), is_worth_it);
}

void chat_run::on_fault() {
  const auto fault = read_vendor_fault(text_);
  auto why = vendor_error(head_.status, fault, endpoint_->vendor, endpoint_->key);
  if (why.reason == "content_filter") {
    llm_done stopped;
    stopped.reason = why.reason;
    return finish(std::move(stopped));
  }
  if (why.reason == "context_length_exceeded" && !was_shortened_ && drop_oldest_turns(request_)) {
    was_shortened_ = true;
    make_body();
    close_transfer();
    return attempt();
  }
  const bool is_worth_it = is_worth_retrying(head_, why);
  give_up(std::move(why), is_worth_it);
}

void chat_run::take(std::vector<llm_event> events) {
  for (auto& event : events) {
    if (is_over_ || is_cancelled_)
      return;
    if (auto* failed = std::get_if<llm_failed>(&event)) {
      const bool is_worth_it = is_worth_retrying(head_, failed->why) || failed->why.reason == "cut";
      return give_up(std::move(failed->why), is_worth_it);
    }
    if (auto* done = std::get_if<llm_done>(&event)) {
      done_ = std::move(*done);
      return after(wait_, linger, &chat_run::on_end);
    }
    was_used_ = true;
    sink_(std::move(event));
  }
}

void chat_run::give_up(error why, bool is_worth_it) {
  close_transfer();
  const auto wait = retry_wait(head_, retries_, context_.ids.random(), context_.where.wall());
  const auto latest = begin_ + context_.failover.first_byte;
  // Whoever waits longer for a word than that is better served by another vendor, or the truth.
  const bool has_time = context_.where.now() + wait < latest;
  if (!is_worth_it || was_used_ || retries_ >= retries_max || !has_time)
    return finish(llm_failed{std::move(why)});
  ++retries_;
  ++attempt_; // what still arrives is of an attempt that is over
  has_event_ = false;
  context_.count.add(counter::llm_retries);
  log(log_level::debug, "a language model is asked again",
      {{"vendor", endpoint_->vendor}, {"why", why.reason}, {"ms", std::to_string(wait.count())}});
  after(wait_, wait, &chat_run::attempt);
}

void chat_run::finish(llm_event last) {
  if (is_over_ || is_cancelled_)
    return;
  is_over_ = true;
  release();
  sink_(std::move(last));
}

void chat_run::close_transfer() {
  std::unique_ptr<http_transfer> transfer;
  const std::lock_guard guard{mutex_};
  transfer = std::move(transfer_);
}

void chat_run::watch(clock::duration left) {
  after(watch_, left, &chat_run::on_watch);
}

/// One timer watches an attempt: it looks when the last event was, and sleeps for the rest.
void chat_run::on_watch() {
  if (is_over_ || is_cancelled_ || done_)
    return;
  const auto due = has_event_ ? last_event_ + context_.failover.stall
                              : begin_ + context_.failover.first_byte;
  const auto left = due - context_.where.now();
  if (left > clock::duration{0})
    return watch(left);
  // A finish without its usage is an answer all the same.
  if (answer_->has_finish()) {
    close_transfer();
    take(answer_->end());
    return on_end();
  }
  give_up(has_event_ ? failure("the model stopped in mid-answer", "stall")
                     : failure("the model did not begin to answer in time", "first_byte"),
          false);
}

void chat_run::after(std::unique_ptr<timer>& slot, clock::duration delay,
                     void (chat_run::*then)()) {
  // The old timer may be the one whose call this is: it goes at the end of the block.
  std::unique_ptr<timer> old;
  const std::lock_guard guard{mutex_};
  if (is_cancelled_)
    return;
  old = std::exchange(slot, context_.where.after(delay, [weak = weak_from_this(), then] {
    const auto self = weak.lock();
    if (self != nullptr && !self->is_cancelled_ && !self->is_over_)
      (self.get()->*then)();
  }));
}

} // namespace sidevoice
