#pragma once

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
