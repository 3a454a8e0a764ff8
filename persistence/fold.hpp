#pragma once

#include "persistence/event.hpp"
#include "persistence/stream_position.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

/// The fold of a session's journal: the only way from events to state.
namespace sidevoice {

/// An item as it stands, with the number of the event that put it first.
struct stored_item {
  item value;
  std::string rank;
  std::uint64_t seq = 0;
  std::int64_t at = 0;

  bool operator==(const stored_item&) const = default;
};
using stored_item_ptr = std::shared_ptr<const stored_item>;

/// A topic as it stands. `open` without a value until an event says otherwise.
struct topic_state {
  topic_status status = topic_status::open;
  json_text value;
  topic_evidence evidence;
  topic_author by = topic_author::rule;
  /// The checklist's revision that made it so; 0: never touched.
  std::uint64_t revision = 0;
  std::uint64_t seq = 0;
  /// The newest event by a person's hand; 0: none. An analysis that had not read it is stale.
  std::uint64_t person_seq = 0;
  /// While a rule skips it: the status it comes back to.
  topic_status resumes = topic_status::open;

  bool operator==(const topic_state&) const = default;
};
using topic_state_ptr = std::shared_ptr<const topic_state>;

enum class response_phase { requested, started, done };

struct response_state {
  std::string id;
  std::vector<std::string> cause;
  response_phase phase = response_phase::requested;
  /// 0 before the first run.
  std::uint32_t attempt = 0;
  /// Item id of the running attempt, and the place that is kept for it: behind what was there when
  /// the attempt began.
  std::string item;
  std::string rank;
  /// Clauses out in this attempt, and their text.
  std::uint32_t clauses = 0;
  std::string spoken;
  /// Function calls journaled by this response.
  std::vector<std::string> calls;
  response_status status = response_status::completed;
  std::string reason;

  bool operator==(const response_state&) const = default;
};
using response_state_ptr = std::shared_ptr<const response_state>;

enum class call_phase {
  /// The visitor has not agreed yet.
  waiting,
  ready,
  /// It may have run.
  started
};

/// A call that has no end yet.
struct call_state {
  call_opened call;
  call_phase phase = call_phase::ready;
  /// 0 before the first.
  std::uint32_t attempt = 0;
  std::uint64_t seq = 0;

  bool operator==(const call_state&) const = default;
};
using call_state_ptr = std::shared_ptr<const call_state>;

/// A call of the analyzer with its end, for its later analyses.
struct closed_call {
  call_opened call;
  std::string outcome;
  std::string output;

  bool operator==(const closed_call&) const = default;
};

/// Speech whose words are not known yet.
struct speech_state {
  std::string item;
  std::string stream;
  std::uint64_t from_ms = 0;
  std::uint64_t to_ms = 0;

  bool operator==(const speech_state&) const = default;
};

/// What undo would put back.
struct topic_change {
  std::string topic;
  topic_state before;
  /// Revision of the change.
  std::uint64_t revision = 0;

  bool operator==(const topic_change&) const = default;
};

/// The state of one session at `head`. A value: copying it copies pointers to shared entries.
struct session_view {
  session_started about;
  std::int64_t started_at = 0;
  /// Number of the newest event in it.
  std::uint64_t head = 0;

  /// By rank.
  std::vector<stored_item_ptr> items;
  /// Ids that were deleted, and not created anew since.
  std::set<std::string> removed;

  /// Requested or running, in the order of the requests; at most one runs.
  std::vector<response_state_ptr> open_responses;
  /// The newest closed ones (at most 64), so that a repeated request is known.
  std::deque<response_state_ptr> closed_responses;
  /// Items up to this event have had their response requested.
  std::uint64_t answered_to = 0;

  std::map<std::string, topic_state_ptr> topics;
  /// The checklist's revision; one more with each change of a topic.
  std::uint64_t revision = 0;
  /// The newest changes (at most 32), newest last, for undo.
  std::deque<topic_change> changes;
  /// Ids of the newest edits (at most 64), so that a repeated one is known.
  std::deque<std::string> edits;
  /// Events up to this one have been analyzed.
  std::uint64_t analyzed_to = 0;

  /// In the order of their events.
  std::vector<call_state_ptr> open_calls;
  /// The analyzer's newest ones (at most 8).
  std::deque<closed_call> analyzer_calls;
  /// In the order of their events.
  std::vector<speech_state> open_speech;
  /// Of the newest streams (at most 8).
  std::deque<stream_position> streams;
  /// What models have cost so far, in millionths of a euro.
  std::uint64_t spent = 0;
  /// A tool has asked for the end: it comes after the answer that says goodbye.
  bool ending = false;

  /// Revision that was reported complete; nothing while it is open.
  std::optional<std::uint64_t> completed;
  /// Reason of the end; empty while it lives.
  std::string ended;

  [[nodiscard]] const stored_item* find_item(const std::string& id) const;
  [[nodiscard]] const response_state* find_response(const std::string& id) const;
  /// The response that runs now; null when none does.
  [[nodiscard]] const response_state* running() const;
  [[nodiscard]] topic_state topic(const std::string& id) const;
  /// Null: not spoken, or its words are known.
  [[nodiscard]] const speech_state* find_speech(const std::string& item) const;
  /// What of a stream has been dealt with; null: unknown.
  [[nodiscard]] const stream_position* find_stream(const std::string& stream) const;
  /// Null: never opened, or ended.
  [[nodiscard]] const call_state* find_call(const std::string& id) const;
  /// Ids of user messages whose words are known and of tool outputs, after the last request.
  [[nodiscard]] std::vector<std::string> unanswered() const;
  /// The item whose rank is just before that of `id`; empty at the front or for unknown ids.
  [[nodiscard]] std::string previous_of(const std::string& id) const;
  /// {"topic": value, ...} of the topics that have a value and are not skipped, keys in order.
  [[nodiscard]] json_text result() const;
};

/// Compares what the pointers point to.
bool operator==(const session_view& a, const session_view& b);

using view_ptr = std::shared_ptr<const session_view>;

/// Applies one event in place. Errors: `damaged` when its number is not head + 1. Events that make
/// no sense in this state (a response.done without a request) change nothing but the head.
result<void> apply(session_view& view, const event& e);

/// The same on a copy. Call it qualified (`sidevoice::apply`): std::apply matches vectors as well.
result<view_ptr> apply(const view_ptr& view, std::span<const event_ptr> events);

/// Version of the fold; a snapshot of another version is discarded.
inline constexpr int fold_version = 3;

/// A view as JSON text, for snapshots.
json_text encode(const session_view& view);
result<session_view> decode_view(std::string_view body);

} // namespace sidevoice
