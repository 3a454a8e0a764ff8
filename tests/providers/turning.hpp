#pragma once

#include "config/asio_loop.hpp"
#include "tests/support/hand_loop.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>

/// A loop and whoever turns it, for suites that run against engines with threads and against
/// scripted ones alike.
namespace sidevoice {

class turning {
public:
  virtual ~turning() = default;
  virtual loop& where() = 0;
  /// Turns until the condition is met; false when patience has run out.
  virtual bool until(const std::function<bool()>& is_met) = 0;
};

/// Real time, on the test's thread.
class real_turning final : public turning {
public:
  loop& where() override {
    return loop_;
  }
  bool until(const std::function<bool()>& is_met) override {
    const auto latest = std::chrono::steady_clock::now() + std::chrono::seconds{300};
    while (!is_met() && std::chrono::steady_clock::now() < latest)
      context_.run_one_for(std::chrono::milliseconds{20});
    return is_met();
  }

private:
  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
    context_.get_executor()};
  asio_loop loop_{context_};
};

/// Virtual time.
class virtual_turning final : public turning {
public:
  loop& where() override {
    return loop_;
  }
  bool until(const std::function<bool()>& is_met) override {
    for (int i = 0; i < 100'000 && !is_met(); ++i)
      loop_.advance(std::chrono::milliseconds{5});
    return is_met();
  }

private:
  hand_loop loop_;
};

} // namespace sidevoice
