#pragma once

#include "config/loop.hpp"

#include <memory>

namespace boost::asio {
class io_context;
} // namespace boost::asio

namespace sidevoice {

/// The product's loop: an Asio context that one thread runs. Does not keep `run()` from returning:
/// whoever runs it holds a work guard. Must not outlive the context; its timers may outlive both.
class asio_loop final : public loop {
public:
  explicit asio_loop(boost::asio::io_context& context);
  asio_loop(const asio_loop&) = delete;
  asio_loop& operator=(const asio_loop&) = delete;
  /// Pending timers still fire while the context runs; destroying their handles is safe, and
  /// still keeps them from calling.
  ~asio_loop() override;

  [[nodiscard]] clock::time_point now() const override;
  [[nodiscard]] wall_clock::time_point wall() const override;
  void post(task f) override;
  [[nodiscard]] std::unique_ptr<timer> after(clock::duration delay, task f) override;

private:
  struct link;
  class asio_timer;

  std::shared_ptr<link> link_;
};

} // namespace sidevoice
