#include "actors/answer_gate.hpp"

namespace sidevoice {

void answer_gate::open(std::string response, std::uint32_t attempt, std::string item) {
  *this = {};
  open_ = true;
  response_ = std::move(response);
  attempt_ = attempt;
  item_ = std::move(item);
}

void answer_gate::close() {
  open_ = false;
  waiting_.clear();
}

answer_gate::release answer_gate::on_delta(answer_delta piece) {
  waiting_.push_back(std::move(piece));
  return advance();
}

answer_gate::release answer_gate::on_started() {
  started_ = true;
  return advance();
}

answer_gate::release answer_gate::on_spoken(std::uint32_t clause) {
  durable_ = std::max(durable_, clause);
  return advance();
}

answer_gate::release answer_gate::advance() {
  release out;
  while (open_ && started_ && !waiting_.empty()) {
    auto& next = waiting_.front();
    // A new clause begins: the one before it is complete, and goes to the journal first.
    if (next.clause > clause_ && journaled_ < clause_) {
      journaled_ = clause_;
      out.clauses.emplace_back(
        response_spoken{response_, attempt_, clause_, std::exchange(clause_text_, {})});
    }
    if (next.clause > durable_ + 1)
      break;
    clause_ = next.clause;
    clause_text_ += next.text;
    heard_ += next.text;
    ++pieces_out_;
    out.pieces.push_back(std::move(next));
    waiting_.pop_front();
  }
  return out;
}

std::vector<answer_delta> answer_gate::finish() {
  std::vector<answer_delta> rest{waiting_.begin(), waiting_.end()};
  close();
  return rest;
}

std::string answer_gate::held() const {
  std::string text;
  for (const auto& piece : waiting_)
    text += piece.text;
  return text;
}

std::optional<open_answer> answer_gate::so_far() const {
  if (!open_ || pieces_out_ == 0)
    return std::nullopt;
  return open_answer{response_, attempt_, item_, pieces_out_, heard_};
}

} // namespace sidevoice
