#include "config/log.hpp"
#include "providers/curl_exchange.hpp"

#include <algorithm>
#include <csignal>
#include <mutex>
#include <new>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sidevoice {

namespace {

using exchange_ptr = std::shared_ptr<curl_exchange>;
using clock = curl_exchange::clock;

/// What callers leave for the thread. Outlives the client as long as there are handles.
class mailbox {
public:
  struct order {
    exchange_ptr what;
    bool is_start = false;
  };

  explicit mailbox(CURLM* multi) : multi_(multi) {}

  void put(order one) {
    const std::lock_guard guard{mutex_};
    if (multi_ == nullptr)
      return;
    orders_.push_back(std::move(one));
    curl_multi_wakeup(multi_);
  }

  /// Nothing is taken any more; the thread ends.
  void close() {
    std::vector<order> left;
    const std::lock_guard guard{mutex_};
    for (const auto& one : orders_)
      one.what->drop();
    left.swap(orders_);
    curl_multi_wakeup(multi_);
    multi_ = nullptr;
  }

  /// False when closed.
  bool take(std::vector<order>& out) {
    const std::lock_guard guard{mutex_};
    out.swap(orders_);
    return multi_ != nullptr;
  }

private:
  std::mutex mutex_;
  CURLM* multi_;
  std::vector<order> orders_;
};

class curl_transfer final : public http_transfer {
public:
  curl_transfer(std::shared_ptr<mailbox> box, exchange_ptr what)
      : box_(std::move(box)),
        what_(std::move(what)) {}
  curl_transfer(const curl_transfer&) = delete;
  curl_transfer& operator=(const curl_transfer&) = delete;

  ~curl_transfer() override {
    what_->drop();
    box_->put({std::move(what_), false});
  }

private:
  std::shared_ptr<mailbox> box_;
  exchange_ptr what_;
};

struct multi_deleter {
  void operator()(CURLM* multi) const {
    curl_multi_cleanup(multi);
  }
};

class curl_client final : public http_client {
public:
  curl_client(loop& where, counters& count, http_curl_options options)
      : where_(where),
        count_(count),
        options_(std::move(options)),
        multi_(curl_multi_init()) {
    if (multi_ == nullptr)
      throw std::bad_alloc{};
    box_ = std::make_shared<mailbox>(multi_.get());
    thread_ = std::thread{[this] { run(); }};
  }
  curl_client(const curl_client&) = delete;
  curl_client& operator=(const curl_client&) = delete;

  ~curl_client() override {
    box_->close();
    thread_.join();
  }

  std::unique_ptr<http_transfer> start(http_call call, http_sink sink) override {
    auto what = std::make_shared<curl_exchange>(where_, count_, std::move(call), std::move(sink));
    count_.add(counter::http_calls);
    if (auto wrong = what->fault())
      what->fail(std::move(*wrong));
    else
      box_->put({what, true});
    return std::make_unique<curl_transfer>(box_, std::move(what));
  }

private:
  /// Signals are the main thread's; and OpenSSL writes to closed sockets without asking for the
  /// error instead of SIGPIPE.
  static void block_signals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
  }

  void run() {
    block_signals();
    std::vector<mailbox::order> orders;
    while (box_->take(orders)) {
      for (auto& one : orders)
        one.is_start ? add(std::move(one.what)) : remove(*one.what);
      orders.clear();
      int running = 0;
      curl_multi_perform(multi_.get(), &running);
      take_ended();
      expire(clock::now());
      curl_multi_poll(multi_.get(), nullptr, 0, wait_ms(clock::now()), nullptr);
    }
    for (const auto& one : orders)
      one.what->drop();
    for (const auto& [easy, what] : active_) {
      what->drop();
      curl_multi_remove_handle(multi_.get(), easy);
    }
    active_.clear();
    // Here and not in the destructor: it says goodbye on TLS connections.
    multi_.reset();
  }

  void add(exchange_ptr what) {
    if (active_.size() >= options_.transfers_max)
      return what->fail(
        {errc::overloaded, "too many outgoing calls at once; try again later", {}, "overloaded"});
    const auto& owner = what->owner();
    if (!owner.empty() && of_owner_[owner] >= options_.owner_transfers_max)
      return what->fail({errc::overloaded,
                         "too many outgoing calls of this app at once; try again later",
                         {},
                         "overloaded"});
    auto easy = what->prepare(options_);
    if (!easy)
      return what->fail(std::move(easy).error());
    if (!owner.empty())
      ++of_owner_[owner];
    next_deadline_ = std::min(next_deadline_, what->next_deadline());
    active_.emplace(*easy, what);
    curl_multi_add_handle(multi_.get(), *easy);
  }

  void remove(const curl_exchange& what) {
    const auto found = active_.find(what.easy());
    if (found == active_.end())
      return;
    curl_multi_remove_handle(multi_.get(), found->first);
    if (const auto of = of_owner_.find(what.owner()); of != of_owner_.end() && --of->second == 0)
      of_owner_.erase(of);
    active_.erase(found);
  }

  void take_ended() {
    int left = 0;
    while (const auto* message = curl_multi_info_read(multi_.get(), &left)) {
      if (message->msg != CURLMSG_DONE)
        continue;
      // Both are gone with the handle.
      const auto code = message->data.result;
      const auto found = active_.find(message->easy_handle);
      if (found == active_.end())
        continue;
      const auto what = found->second;
      remove(*what);
      what->finish(code);
    }
  }

  /// Looks at all of them, and only when the earliest deadline of any has come: most are void by
  /// then, since a head has come.
  void expire(clock::time_point now) {
    if (now < next_deadline_)
      return;
    next_deadline_ = clock::time_point::max();
    std::vector<std::pair<exchange_ptr, error>> late;
    for (const auto& [easy, what] : active_) {
      if (auto why = what->expired(now))
        late.emplace_back(what, std::move(*why));
      else
        next_deadline_ = std::min(next_deadline_, what->next_deadline());
    }
    for (auto& [what, why] : late) {
      remove(*what);
      what->fail(std::move(why));
    }
  }

  [[nodiscard]] int wait_ms(clock::time_point now) const {
    constexpr std::chrono::milliseconds longest{60'000};
    if (next_deadline_ == clock::time_point::max())
      return static_cast<int>(longest.count());
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next_deadline_ - now);
    return static_cast<int>(std::clamp(left, std::chrono::milliseconds{0}, longest).count());
  }

  loop& where_;
  counters& count_;
  http_curl_options options_;
  std::unique_ptr<CURLM, multi_deleter> multi_;
  std::shared_ptr<mailbox> box_;
  /// The thread's alone.
  std::unordered_map<CURL*, exchange_ptr> active_;
  /// How many of them each owner has.
  std::unordered_map<std::string, std::size_t> of_owner_;
  clock::time_point next_deadline_ = clock::time_point::max();
  std::thread thread_;
};

} // namespace

std::unique_ptr<http_client> make_http_curl(loop& where, counters& count,
                                            http_curl_options options) {
  static const auto initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialised != CURLE_OK)
    log(log_level::error, "libcurl does not start", {{"why", curl_easy_strerror(initialised)}});
  return std::make_unique<curl_client>(where, count, std::move(options));
}

} // namespace sidevoice
