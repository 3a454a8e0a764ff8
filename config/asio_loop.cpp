#include "config/asio_loop.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <mutex>
#include <utility>

namespace sidevoice {

/// What timers know of their loop: the context, until the loop is gone.
struct asio_loop::link {
  std::mutex guard;
  boost::asio::io_context* context = nullptr;
};

namespace {

/// Owned by the pending wait, not by the handle: whoever destroys the handle never touches the
/// steady_timer, which belongs to the loop's thread.
struct pending_call {
  pending_call(boost::asio::io_context& context, loop::clock::duration delay, loop::task f)
      : wait(context, delay),
        call(std::move(f)) {}

  boost::asio::steady_timer wait;
  loop::task call;
};

} // namespace

class asio_loop::asio_timer final : public timer {
public:
  asio_timer(std::shared_ptr<link> where, std::weak_ptr<pending_call> pending,
             std::shared_ptr<std::atomic<bool>> cancelled)
      : link_(std::move(where)),
        pending_(std::move(pending)),
        cancelled_(std::move(cancelled)) {}

  asio_timer(const asio_timer&) = delete;
  asio_timer& operator=(const asio_timer&) = delete;

  ~asio_timer() override {
    cancelled_->store(true);
    if (pending_.expired())
      return;
    // The flag alone keeps the call away. The wait is ended too, so that what it holds is freed
    // now and not after the delay; a steady_timer may only be touched on its own thread.
    const std::lock_guard lock{link_->guard};
    if (link_->context == nullptr)
      return;
    boost::asio::post(*link_->context, [weak = pending_] {
      if (const auto pending = weak.lock())
        pending->wait.cancel();
    });
  }

private:
  std::shared_ptr<link> link_;
  std::weak_ptr<pending_call> pending_;
  std::shared_ptr<std::atomic<bool>> cancelled_;
};

asio_loop::asio_loop(boost::asio::io_context& context) : link_(std::make_shared<link>()) {
  link_->context = &context;
}

asio_loop::~asio_loop() {
  const std::lock_guard lock{link_->guard};
  link_->context = nullptr;
}

loop::clock::time_point asio_loop::now() const {
  return clock::now();
}

loop::wall_clock::time_point asio_loop::wall() const {
  return wall_clock::now();
}

void asio_loop::post(task f) {
  boost::asio::post(*link_->context, std::move(f));
}

std::unique_ptr<timer> asio_loop::after(clock::duration delay, task f) {
  auto cancelled = std::make_shared<std::atomic<bool>>(false);
  auto pending = std::make_shared<pending_call>(*link_->context, delay, std::move(f));
  auto handle = std::make_unique<asio_timer>(link_, pending, cancelled);
  // `pending` is held here until async_wait has returned: with no delay the loop's thread may have
  // made the call and let go by then.
  pending->wait.async_wait([cancelled, pending](boost::system::error_code failed) {
    if (!failed && !cancelled->load())
      pending->call();
  });
  return handle;
}

} // namespace sidevoice
