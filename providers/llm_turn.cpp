#include "providers/llm_turn.hpp"

#include <mutex>
#include <string>
#include <utility>

namespace sidevoice {

namespace {

using ticket_ptr = std::unique_ptr<vendor_places::ticket>;

/// A generation that has its place.
class placed_run final : public llm_stream {
public:
  placed_run(std::unique_ptr<llm_provider> provider, ticket_ptr ticket,
             std::unique_ptr<llm_stream> stream)
      : provider_(std::move(provider)),
        ticket_(std::move(ticket)),
        stream_(std::move(stream)) {}

private:
  std::unique_ptr<llm_provider> provider_;
  ticket_ptr ticket_;
  // Last: the place is free when the vendor has been let go of.
  std::unique_ptr<llm_stream> stream_;
};

/// A generation whose place has yet to come. Shared by its stream and what is posted.
class waiting_run : public std::enable_shared_from_this<waiting_run> {
public:
  waiting_run(std::unique_ptr<llm_provider> provider, llm_request request, llm_sink sink)
      : provider_(std::move(provider)),
        request_(std::move(request)),
        sink_(std::move(sink)) {}

  /// May be called before `hold`: the place was free at once after all.
  void on_place() {
    if (!ends_waiting())
      return;
    auto opened = provider_->open(std::move(request_), sink_);
    if (!opened) {
      release();
      return sink_(llm_failed{std::move(opened).error()});
    }
    std::unique_ptr<llm_stream> unwanted;
    std::unique_ptr<timer> watch;
    const std::lock_guard guard{mutex_};
    watch = std::move(watch_);
    (is_over_ ? unwanted : stream_) = std::move(*opened);
  }

  void on_late(const std::string& vendor) {
    if (!ends_waiting())
      return;
    release();
    sink_(llm_failed{
      {errc::overloaded,
       vendor
         + " has as many runs of this app under way as live.vendors allows, and none ended in "
           "time; raise its concurrency, or add another model",
       {},
       "vendor_busy"}});
  }

  void hold(ticket_ptr ticket, std::unique_ptr<timer> watch) {
    const std::lock_guard guard{mutex_};
    if (is_over_)
      return;
    ticket_ = std::move(ticket);
    if (is_waiting_)
      watch_ = std::move(watch);
  }

  void cancel() {
    ends_waiting();
    release();
  }

private:
  bool ends_waiting() {
    const std::lock_guard guard{mutex_};
    return std::exchange(is_waiting_, false);
  }

  /// They go outside the lock: what they own may ask for it. The place goes last.
  void release() {
    ticket_ptr ticket;
    std::unique_ptr<llm_stream> stream;
    std::unique_ptr<timer> watch;
    const std::lock_guard guard{mutex_};
    is_over_ = true;
    ticket = std::move(ticket_);
    stream = std::move(stream_);
    watch = std::move(watch_);
  }

  std::unique_ptr<llm_provider> provider_;
  llm_request request_;
  llm_sink sink_;
  std::mutex mutex_;
  bool is_waiting_ = true;
  bool is_over_ = false;
  std::unique_ptr<timer> watch_;
  ticket_ptr ticket_;
  std::unique_ptr<llm_stream> stream_;
};

class waiting_stream final : public llm_stream {
public:
  explicit waiting_stream(std::shared_ptr<waiting_run> run) : run_(std::move(run)) {}
  waiting_stream(const waiting_stream&) = delete;
  waiting_stream& operator=(const waiting_stream&) = delete;
  ~waiting_stream() override {
    run_->cancel();
  }

private:
  std::shared_ptr<waiting_run> run_;
};

} // namespace

result<std::unique_ptr<llm_stream>> open_in_turn(std::unique_ptr<llm_provider> provider,
                                                 llm_request request, llm_sink sink,
                                                 const llm_turn& turn) {
  const auto how = request.purpose == llm_purpose::converse ? vendor_places::urgency::answer
                                                            : vendor_places::urgency::analysis;
  auto ticket = turn.health.places().try_take(turn.who, turn.most, how);
  if (ticket != nullptr) {
    auto opened = provider->open(std::move(request), std::move(sink));
    if (!opened)
      return opened.error();
    return std::unique_ptr<llm_stream>{
      std::make_unique<placed_run>(std::move(provider), std::move(ticket), std::move(*opened))};
  }
  auto run = std::make_shared<waiting_run>(std::move(provider), std::move(request),
                                           std::move(sink));
  auto& where = turn.where;
  const std::weak_ptr<waiting_run> weak = run;
  ticket = turn.health.places().wait(turn.who, turn.most, how, [weak, &where] {
    // Not here: this may be inside of anything that lets a place go.
    where.post([weak] {
      if (const auto me = weak.lock())
        me->on_place();
    });
  });
  run->hold(std::move(ticket), where.after(turn.patience, [weak, vendor = turn.who.vendor] {
    if (const auto me = weak.lock())
      me->on_late(vendor);
  }));
  return std::unique_ptr<llm_stream>{std::make_unique<waiting_stream>(std::move(run))};
}

} // namespace sidevoice
