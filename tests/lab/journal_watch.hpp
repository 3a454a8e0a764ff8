#pragma once

#include "persistence/fold.hpp"
#include "tests/lab/lab_client.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace sidevoice::lab {

/// Follows one session's journal event by event, as the disk takes them, and says at once what must
/// not be. What can only be judged when all is quiet is in invariants.cpp.
class journal_watch {
public:
  journal_watch(std::string session, report_violation report)
      : session_{std::move(session)},
        report_{std::move(report)} {}

  /// All that the disk has now. Errors are reported: what was there before must still be there, and
  /// the same; `told` is the head that somebody may have been told of, and a power loss may take
  /// what lies behind it.
  void see(const std::vector<event_ptr>& all, std::uint64_t told);
  /// What the disk has behind `head`.
  void add(const std::vector<event_ptr>& more);

  [[nodiscard]] std::uint64_t head() const {
    return events_.size();
  }
  [[nodiscard]] const std::vector<event_ptr>& events() const {
    return events_;
  }
  /// The state behind an event; 0: before the first.
  [[nodiscard]] const view_ptr& view_at(std::uint64_t seq) const {
    return views_.at(seq);
  }
  [[nodiscard]] const view_ptr& view() const {
    return views_.back();
  }
  [[nodiscard]] bool has_input(const std::string& id) const {
    return inputs_.contains(id);
  }
  [[nodiscard]] const std::map<std::string, std::vector<std::string>>& responses_of() const {
    return responses_of_;
  }
  /// Greeted so often.
  [[nodiscard]] int greetings() const {
    return greetings_;
  }

  /// What became of a call.
  struct call_story {
    std::string name;
    call_runner runner = call_runner::server;
    bool waits = false;
    std::uint32_t starts = 0;
    std::string outcome;
    int outputs = 0;
  };
  [[nodiscard]] const std::map<std::string, call_story>& calls() const {
    return calls_;
  }

  /// No answer may ask for what the newest message says; for models that ask what a hint names.
  bool judges_questions = false;

private:
  void start_over();
  void take(const event_ptr& e);
  void violated(const std::string& what) {
    report_(session_ + ": " + what);
  }

  void on(const item_put& put);
  void on(const item_removed& gone);
  void on(const input_speech& speech);
  void on(const input_transcribed& words);
  void on(const response_requested& asked);
  void on(const response_started& started);
  void on(const response_spoken& spoken);
  void on(const response_done& done);
  void on(const call_opened& opened);
  void on(const call_approved& approved);
  void on(const call_started& started);
  void on(const call_ended& ended);
  void on(const topic_updated& change);
  template <class Other>
  void on(const Other&) {}

  struct response_story {
    std::uint32_t attempts = 0;
    std::uint32_t clauses = 0;
    std::string item;
    bool is_done = false;
  };

  std::string session_;
  report_violation report_;
  std::vector<event_ptr> events_;
  std::vector<view_ptr> views_{std::make_shared<const session_view>()};
  std::set<std::string> inputs_;
  std::map<std::string, response_story> responses_;
  std::map<std::string, std::vector<std::string>> responses_of_;
  /// Causes of responses that began, by what began.
  std::map<std::string, std::string> begun_for_;
  std::set<std::string> spoken_;
  std::set<std::string> transcribed_;
  std::map<std::string, call_story> calls_;
  std::map<std::string, std::string> texts_;
  std::map<std::string, std::uint64_t> by_person_;
  /// What the visitor had said last when an answer began, by its item.
  std::map<std::string, std::string> heard_;
  std::string newest_;
  std::string newest_item_;
  std::uint64_t revision_ = 0;
  std::uint64_t seq_ = 0;
  int greetings_ = 0;
};

} // namespace sidevoice::lab
