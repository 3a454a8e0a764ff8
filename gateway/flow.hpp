#pragma once

#include "config/rate.hpp"

#include <chrono>
#include <cstddef>
#include <deque>

/// How much may wait on one socket, in both directions. Plain classes: time is an argument, locking
/// is the socket's.
namespace sidevoice {

/// Frames that the session has not dealt with yet. Reading stops when there are too many, and the
/// network then holds the client back.
class read_credit {
public:
  struct options {
    std::size_t frames_pause = 64;
    std::size_t frames_resume = 16;
    /// A few large frames weigh as much as many small ones.
    std::size_t bytes_pause = 1 << 20;
    std::size_t bytes_resume = 256 << 10;
  };

  read_credit() = default;
  explicit read_credit(options limits) : options_(limits) {}

  /// A frame was given to the session. True: stop reading.
  bool taken(std::size_t bytes);

  /// The oldest one has been dealt with. True: read again, reported once for each stop.
  bool consumed();

private:
  options options_;
  std::deque<std::size_t> sizes_;
  std::size_t bytes_ = 0;
  bool paused_ = false;
};

/// Frames that wait to be written. A client is slow when more than `bytes_max` waits and nothing
/// has been written for `stall`; a burst to a client that reads, such as a long history, may grow
/// to `burst_max`.
class send_bound {
public:
  using time_point = std::chrono::steady_clock::time_point;

  struct options {
    std::size_t bytes_max = 256 << 10;
    std::size_t burst_max = 8 << 20;
    std::chrono::milliseconds stall{1000};
  };

  send_bound() = default;
  explicit send_bound(options limits) : options_(limits) {}

  /// Counts a frame in. False: the client is slow, and the frame does not count.
  bool admit(std::size_t bytes, time_point now);

  /// A frame has been handed to the network.
  void written(std::size_t bytes, time_point now);

private:
  options options_;
  std::size_t bytes_ = 0;
  time_point progress_{};
};

/// How much a client may send for how long, however fast it is dealt with. Far above what people
/// and microphones do.
class traffic_watch {
public:
  struct options {
    rate_limit messages{4000, std::chrono::milliseconds{5}};
    std::size_t bytes_burst = 64 << 20;
    std::size_t bytes_per_second = 4 << 20;
  };

  traffic_watch() = default;
  explicit traffic_watch(options limits) : options_(limits) {}

  /// A whole message has come. False: too many.
  bool message(rate_time now) {
    return messages_.take(options_.messages, now).count() == 0;
  }

  /// Bytes have come. False: too many.
  bool bytes(std::size_t count, rate_time now);

private:
  options options_;
  rate_bucket messages_;
  /// When all bytes so far would have come at the sustained speed.
  rate_time bytes_clear_at_;
};

/// Notices a message made of countless tiny fragments, which costs the server far more than the
/// client.
class fragment_watch {
public:
  static constexpr std::size_t pieces_free = 1024;
  static constexpr std::size_t bytes_a_piece = 64;

  /// A part of a message has come. False: refuse it.
  bool piece(std::size_t bytes) {
    ++pieces_;
    bytes_ += bytes;
    return pieces_ <= pieces_free || bytes_ / pieces_ >= bytes_a_piece;
  }

  void message_done() {
    pieces_ = 0;
    bytes_ = 0;
  }

private:
  std::size_t pieces_ = 0;
  std::size_t bytes_ = 0;
};

} // namespace sidevoice
