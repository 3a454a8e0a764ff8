#pragma once

#include "persistence/event.hpp"
#include "persistence/redaction.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sidevoice::cli {

/// How long the turns and calls of a journal took, by its events. Pure.
class turn_times {
public:
  void add(const event& e);

  /// JSON lines, in the order of the journal: {"part":"turn",...} then {"part":"call",...}. Times
  /// are milliseconds since 1970, lengths milliseconds since the request.
  [[nodiscard]] std::vector<json_text> lines(redaction& clean) const;

  [[nodiscard]] std::size_t turns() const {
    return order_.size();
  }

private:
  struct turn {
    std::vector<std::string> cause;
    std::int64_t requested_at = 0;
    /// Of each attempt.
    std::vector<std::int64_t> started_at;
    std::int64_t first_spoken_at = 0;
    std::int64_t done_at = 0;
    response_done end;
    turn_measured silence;
  };
  struct call {
    call_opened what;
    std::int64_t opened_at = 0;
    std::vector<std::int64_t> started_at;
    std::int64_t ended_at = 0;
    std::string outcome;
  };

  turn& of_turn(const std::string& response);
  call& of_call(const std::string& id);
  [[nodiscard]] static json_text line_of(const std::string& response, const turn& one,
                                         redaction& clean);
  [[nodiscard]] static json_text line_of(const std::string& id, const call& one, redaction& clean);

  std::map<std::string, turn> turns_;
  std::map<std::string, call> calls_;
  std::vector<std::string> order_;
  std::vector<std::string> call_order_;
};

} // namespace sidevoice::cli
