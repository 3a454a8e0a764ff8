#pragma once

#include "providers/llm.hpp"

#include <string>
#include <vector>

/// The checklist as the offline agent sees it: the request's board, and what it has read since.
namespace sidevoice::rules {

struct topic_now {
  const topic_declaration* topic = nullptr;
  /// As on the board, but never `skipped` because of a `when`: `relevant` says that.
  std::string status = "open";
  json_text value;
  /// Its `when` held on the request's board.
  bool was_relevant = true;
};

/// What the conversation has to do about a topic.
enum class step { none, ask, read_back, contradicted };

class board {
public:
  explicit board(const llm_request& request);

  [[nodiscard]] const std::vector<topic_now>& topics() const {
    return topics_;
  }
  [[nodiscard]] const topic_now* find(const std::string& id) const;
  void set(const std::string& id, const std::string& status, const json_text& value);

  /// The topic's `when` holds.
  [[nodiscard]] bool is_relevant(const topic_now& t) const;
  [[nodiscard]] bool has_value(const topic_now& t) const;
  [[nodiscard]] step step_of(const topic_now& t) const;

  /// The next topic: contradicted ones and read-backs first, then open ones in the app's order,
  /// each behind those in its `after`. Null when none is left.
  [[nodiscard]] const topic_now* next(const std::string& leave_out = {}) const;

  /// Only this topic has its type.
  [[nodiscard]] bool only_of_kind(const topic_declaration& topic) const;

private:
  [[nodiscard]] bool holds(const topic_condition& c, int depth) const;
  [[nodiscard]] bool is_relevant(const topic_now& t, int depth) const;

  std::vector<topic_now> topics_;
};

} // namespace sidevoice::rules
