#pragma once

#include "actors/messages.hpp"

#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace sidevoice {

/// Holds a running answer back until the journal allows it out. The first clause leaves when
/// `response.started` is durable, each later one when the clause before it is (`response.spoken`),
/// so that the journal is never more than one clause behind what clients have seen. Plain.
class answer_gate {
public:
  /// What to do now: pieces to hand to the listeners, clauses to journal.
  struct release {
    std::vector<answer_delta> pieces;
    std::vector<event_body> clauses;
  };

  /// A run begins; whatever was held of another one is forgotten.
  void open(std::string response, std::uint32_t attempt, std::string item);

  /// The run is over; nothing more of it is let through.
  void close();

  [[nodiscard]] bool is_open() const {
    return open_;
  }

  /// True for the run that the gate is open for. Its item id names it: an attempt whose start the
  /// store refused is begun again under the same number.
  [[nodiscard]] bool is_run(const std::string& item) const {
    return open_ && item == item_;
  }

  [[nodiscard]] const std::string& response() const {
    return response_;
  }

  [[nodiscard]] std::uint32_t attempt() const {
    return attempt_;
  }

  [[nodiscard]] const std::string& item() const {
    return item_;
  }

  /// A piece from the runner, in order.
  release on_delta(answer_delta piece);

  /// response.started is durable.
  release on_started();

  /// response.spoken of this clause is durable.
  release on_spoken(std::uint32_t clause);

  /// The answer is complete and durable: lets the rest out and closes.
  std::vector<answer_delta> finish();

  /// What listeners have been given.
  [[nodiscard]] const std::string& heard() const {
    return heard_;
  }

  /// What is still held back.
  [[nodiscard]] std::string held() const;

  /// For listeners that attach in the middle; nothing before the first piece is out.
  [[nodiscard]] std::optional<open_answer> so_far() const;

private:
  release advance();

  bool open_ = false;
  bool started_ = false;
  std::string response_;
  std::uint32_t attempt_ = 0;
  std::string item_;
  std::deque<answer_delta> waiting_;
  std::string heard_;
  std::uint32_t pieces_out_ = 0;
  /// The clause that is on its way out, and its text so far.
  std::uint32_t clause_ = 1;
  std::string clause_text_;
  std::uint32_t journaled_ = 0;
  std::uint32_t durable_ = 0;
};

} // namespace sidevoice
