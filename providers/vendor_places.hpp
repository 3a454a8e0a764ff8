#pragma once

#include "providers/vendor_health.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

namespace sidevoice {

/// How many runs of models an account has under way, and who waits for the next place: a vendor
/// that hangs holds the places of the app that asks it, and of nobody else. Knows no time: whoever
/// waits gives up by letting go of its ticket. Any thread.
class vendor_places : public std::enable_shared_from_this<vendor_places> {
public:
  using account = vendor_health::account;

  enum class urgency {
    /// Somebody waits for an answer.
    answer,
    /// Comes behind all answers.
    analysis,
  };

  /// A place, or one in the line. Letting go of it gives the place to the next one.
  class ticket {
  public:
    ticket(std::shared_ptr<vendor_places> all, account who, std::uint64_t number);
    ticket(const ticket&) = delete;
    ticket& operator=(const ticket&) = delete;
    ~ticket();

  private:
    std::shared_ptr<vendor_places> all_;
    account who_;
    std::uint64_t number_;
  };

  /// A place, of at most `most` (at least one) of this account, as its settings are now. Null: none
  /// is free, or others wait for it.
  [[nodiscard]] std::unique_ptr<ticket> try_take(const account& who, std::uint32_t most,
                                                 urgency how);

  /// A place, or one in the line. `called` is called once it has got its place: inside of this call
  /// if there is one, else from the thread that let one go, perhaps just after the ticket itself is
  /// gone; it must only post.
  [[nodiscard]] std::unique_ptr<ticket> wait(const account& who, std::uint32_t most, urgency how,
                                             std::function<void()> called);

  [[nodiscard]] std::size_t taken(const account& who) const;
  [[nodiscard]] std::size_t waiting(const account& who) const;

private:
  struct waiter {
    std::uint64_t number;
    std::function<void()> called;
  };
  /// Of one account; gone when nobody is in it.
  struct desk {
    std::uint32_t most = 1;
    std::size_t taken = 0;
    std::deque<waiter> answers;
    std::deque<waiter> analyses;
  };

  /// The mutex is held. True: a place was free and is taken.
  bool occupy(desk& at, std::uint32_t most, urgency how);
  void leave(const account& who, std::uint64_t number);

  mutable std::mutex mutex_;
  std::map<account, desk> desks_;
  std::uint64_t next_ = 0;
};

} // namespace sidevoice
