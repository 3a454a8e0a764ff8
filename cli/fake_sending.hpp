#pragma once

#include "config/loop.hpp"
#include "providers/fake/wire.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace sidevoice::cli {

/// An answer on its way: HTTP/1 framing, and what goes out when. No socket, no clock.
class fake_sending {
public:
  using time = loop::clock::time_point;

  /// `version`: 10 or 11, as the request had it.
  fake_sending(fake_answer answer, unsigned version, bool keep_alive, time start);

  /// When there is something to send; meaningless once all is sent.
  [[nodiscard]] time due() const {
    return due_;
  }
  /// The bytes whose time has come, about 64 KiB at most.
  std::string take_due(time now);
  [[nodiscard]] bool is_sent() const {
    return next_ >= answer_.chunks.size();
  }

  [[nodiscard]] fake_ending ending() const {
    return answer_.ending;
  }
  [[nodiscard]] std::uint64_t number() const {
    return answer_.number;
  }
  /// The connection can take another request afterwards.
  [[nodiscard]] bool keeps_alive() const {
    return keep_alive_;
  }

private:
  [[nodiscard]] std::string head() const;
  void append(std::string& out, const std::string& bytes) const;

  fake_answer answer_;
  bool chunked_;
  bool keep_alive_;
  bool head_sent_ = false;
  std::size_t next_ = 0;
  time due_;
};

} // namespace sidevoice::cli
