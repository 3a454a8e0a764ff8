#pragma once

#include "actors/budget.hpp"
#include "actors/model_span.hpp"
#include "actors/parts.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sidevoice {

/// The models of an agent, asked one after the other in the order of the app file: the next one
/// takes over where one cannot be opened or fails. A vendor that has failed lately, or whose price
/// the budget does not allow, is passed over while there is another; one that has as much to do as
/// its account may ask for is waited for, a short while. Belongs to one actor.
class model_line {
public:
  struct question {
    app_ptr app;
    std::vector<model_choice> choices;
    llm_request request;
    std::string session;
    /// From the session's fold.
    std::uint64_t session_spent = 0;
    /// That it is asked for; empty: an analysis.
    std::string response = {};
  };

  /// `sink` gets what model number `model` of this question says; on the loop. Late words of
  /// models that were given up come too: compare the number with `model()`.
  using sink = std::function<void(std::size_t model, llm_event)>;

  explicit model_line(node_parts parts) : parts_(std::move(parts)) {}
  ~model_line();
  model_line(const model_line&) = delete;
  model_line& operator=(const model_line&) = delete;

  /// Asks the first usable model. Error: of the last one that could not be opened, or `no_model`.
  result<void> ask(question what, sink to);

  /// The model failed; asks the next one. Error: there is none, or it could not be opened either.
  result<void> ask_next(const error& why);

  /// The model failed, and no other can take over: keeps why, for who traces it.
  void broke_off(const error& why) {
    span_.failed(why);
  }

  /// Counts what was streamed, for the case that its use is never told.
  void note(std::size_t bytes);

  /// The model is done: what it used and cost. Ends the question.
  token_usage finish(const llm_done& done);

  /// Ends the question: the answer is not wanted any more.
  void drop();

  [[nodiscard]] bool is_asking() const {
    return stream_ != nullptr;
  }
  [[nodiscard]] std::size_t model() const {
    return model_;
  }
  /// "openai:gpt-4.1-mini", for logs.
  [[nodiscard]] std::string model_name() const;

private:
  result<void> ask_from(std::size_t first, bool also_unhealthy);
  result<void> open(std::size_t index);
  /// False: it is passed over.
  bool may_ask(const model_choice& choice);
  [[nodiscard]] std::string asked_for() const {
    return what_.response.empty() ? "none" : what_.response;
  }
  [[nodiscard]] std::chrono::milliseconds patience(std::size_t index) const;
  [[nodiscard]] vendor_health::account account_of(const model_choice& choice) const;
  void on_answer();
  void release();

  node_parts parts_;
  question what_;
  live_ptr live_;
  sink to_;
  std::size_t model_ = 0;
  bool second_pass_ = false;
  /// The run that is under way tries a vendor that had failed.
  bool is_probe_ = false;
  std::unique_ptr<llm_provider> provider_;
  std::unique_ptr<llm_stream> stream_;
  spend_ticket ticket_;
  model_price price_;
  std::uint64_t prompt_tokens_ = 0;
  std::uint64_t streamed_ = 0;
  /// The trace that the question belongs to, and the span of the model that is asked.
  std::string trace_;
  model_span span_;
};

} // namespace sidevoice
