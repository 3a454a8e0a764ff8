#include "providers/span_exporter.hpp"

#include "config/log.hpp"
#include "providers/otlp_json.hpp"
#include "providers/span_batches.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

namespace sidevoice {

namespace {

constexpr std::size_t answer_bytes_max = 64 << 10;

/// The queue is for all threads; all else is touched on the loop alone.
class sending : public std::enable_shared_from_this<sending> {
public:
  sending(loop& where, http_client& http, counters& count, id_source& ids, trace_settings how)
      : where_(where),
        http_(http),
        count_(count),
        ids_(ids),
        how_(std::move(how)),
        batches_({how_.queue_max, how_.batch_max}) {}

  void take(span_record span) {
    {
      const std::lock_guard guard{mutex_};
      if (!batches_.add(std::move(span)))
        count_.add(counter::spans_dropped);
      // A task that looks is under way, or a timer is, and there is no reason to go sooner.
      if (is_posted_ || (is_awake_ && !batches_.has_batch()))
        return;
      is_posted_ = true;
    }
    where_.post([weak = weak_from_this()] {
      if (const auto self = weak.lock())
        self->look();
    });
  }

  void flush(std::function<void()> done) {
    where_.post([weak = weak_from_this(), done = std::move(done)]() mutable {
      const auto self = weak.lock();
      if (self == nullptr)
        return;
      self->flushed_.push_back(std::move(done));
      if (self->pause_)
        self->go_on();
      else
        self->look();
    });
  }

private:
  void look() {
    bool is_full = false;
    std::size_t waiting = 0;
    {
      const std::lock_guard guard{mutex_};
      is_posted_ = false;
      is_awake_ = true;
      is_full = batches_.has_batch();
      waiting = batches_.size();
    }
    if (!batch_.empty())
      return;
    if (is_full || (!flushed_.empty() && waiting > 0))
      return begin();
    if (waiting == 0) {
      sleep();
      for (const auto& done : std::exchange(flushed_, {}))
        done();
      return;
    }
    if (!delay_)
      delay_ = where_.after(how_.delay, [weak = weak_from_this()] {
        if (const auto self = weak.lock())
          self->begin();
      });
  }

  void sleep() {
    const std::lock_guard guard{mutex_};
    // What came meanwhile has posted nothing.
    is_awake_ = batches_.size() > 0;
    if (is_awake_ && !std::exchange(is_posted_, true))
      where_.post([weak = weak_from_this()] {
        if (const auto self = weak.lock())
          self->look();
      });
  }

  void begin() {
    // The timer may be the one whose call this is: it goes at the end of the block.
    const auto timer = std::move(delay_);
    if (!batch_.empty())
      return;
    {
      const std::lock_guard guard{mutex_};
      batch_ = batches_.take();
    }
    if (batch_.empty())
      return look();
    body_ = make_otlp_request(batch_, how_.resource);
    tries_ = 0;
    go_on();
  }

  /// Another try with the batch.
  void go_on() {
    const auto timer = std::move(pause_);
    ++tries_;
    head_ = {};
    answer_.clear();
    http_call call;
    call.url = how_.url;
    call.fields = {{"Content-Type", "application/json"}};
    for (const auto& [name, value] : how_.fields)
      call.fields.push_back({name, value});
    call.body = body_;
    call.deadline = how_.deadline;
    call.connect_deadline = std::min(call.connect_deadline, how_.deadline);
    call.answer_bytes_max = answer_bytes_max;
    // The address is from the configuration.
    call.private_addresses = true;
    transfer_ = http_.start(std::move(call),
                            [weak = weak_from_this(), number = ++number_](http_event event) {
                              const auto self = weak.lock();
                              if (self != nullptr && self->number_ == number)
                                self->on_http(std::move(event));
                            });
  }

  void on_http(http_event event) {
    if (auto* head = std::get_if<http_head>(&event)) {
      head_ = std::move(*head);
    } else if (const auto* bytes = std::get_if<http_bytes>(&event)) {
      answer_ += bytes->data;
    } else if (const auto* failed = std::get_if<http_failed>(&event)) {
      // A head without its body says enough where it is a refusal.
      if (head_.status >= 300)
        return decide(judge_export(head_, tries_, ids_.random()), status_text());
      decide(judge_export_failure(failed->why, tries_, ids_.random()), failed->why.detail);
    } else {
      decide(judge_export(head_, tries_, ids_.random()), status_text());
    }
  }

  [[nodiscard]] std::string status_text() const {
    return "it answered with status " + std::to_string(head_.status);
  }

  void decide(export_verdict verdict, const std::string& why) {
    const auto transfer = std::move(transfer_);
    ++number_;
    using what = export_verdict::what;
    if (verdict.next == what::taken) {
      const auto gone = std::min(rejected_spans(answer_), batch_.size());
      count_.add(counter::spans_sent, batch_.size() - gone);
      count_.add(counter::spans_dropped, gone);
      if (std::exchange(is_broken_, false))
        log(log_level::info, "traces.sent_again", {});
      return end();
    }
    if (!std::exchange(is_broken_, true))
      log(log_level::warning, "traces.not_sent",
          {{"why", why},
           {"remedy", "start the collector, or mend OTEL_EXPORTER_OTLP_ENDPOINT and _HEADERS; "
                      "conversations go on without it"}});
    // Who waits for the end of the process does not wait for a collector.
    if (verdict.next == what::again && flushed_.empty()) {
      pause_ = where_.after(verdict.pause, [weak = weak_from_this()] {
        if (const auto self = weak.lock(); self != nullptr && self->pause_)
          self->go_on();
      });
      return;
    }
    count_.add(counter::spans_dropped, batch_.size());
    end();
  }

  void end() {
    batch_.clear();
    body_.clear();
    look();
  }

  loop& where_;
  http_client& http_;
  counters& count_;
  id_source& ids_;
  const trace_settings how_;

  std::mutex mutex_;
  span_batches batches_;
  /// A task that looks at the queue is posted.
  bool is_posted_ = false;
  /// Somebody will look by themselves: a timer, or the end of what is being sent.
  bool is_awake_ = false;

  /// What is being sent; empty: nothing.
  std::vector<span_record> batch_;
  std::string body_;
  unsigned tries_ = 0;
  std::uint64_t number_ = 0;
  http_head head_;
  std::string answer_;
  std::unique_ptr<http_transfer> transfer_;
  std::unique_ptr<timer> delay_;
  std::unique_ptr<timer> pause_;
  bool is_broken_ = false;
  std::vector<std::function<void()>> flushed_;
};

class exporter final : public span_exporter {
public:
  explicit exporter(std::shared_ptr<sending> inside) : inside_(std::move(inside)) {}

  void take(span_record span) override {
    inside_->take(std::move(span));
  }

  void flush(std::function<void()> done) override {
    inside_->flush(std::move(done));
  }

private:
  std::shared_ptr<sending> inside_;
};

} // namespace

std::unique_ptr<span_exporter> make_span_exporter(loop& where, http_client& http, counters& count,
                                                  id_source& ids, trace_settings how) {
  return std::make_unique<exporter>(
    std::make_shared<sending>(where, http, count, ids, std::move(how)));
}

} // namespace sidevoice
