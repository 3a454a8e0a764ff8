#include "actors/checklist.hpp"
#include "actors/checklist_draft.hpp"

#include <algorithm>
#include <map>

namespace sidevoice {

namespace {

bool takes_away(topic_status status) {
  return status == topic_status::open || status == topic_status::skipped;
}

/// True when the value is a person's and only a person may replace it. Analyses always leave
/// evidence, people never do.
bool is_persons_own(const topic_declaration& topic, const topic_state& state) {
  return topic.confirm == topic_confirm::person && !state.value.empty()
         && (state.status == topic_status::confirmed || state.status == topic_status::contradicted
             || state.evidence.item.empty());
}

/// Judges the proposals of one analysis in their order, each on top of those before.
class analysis {
public:
  analysis(const app_definition& app, const session_view& view, std::uint64_t head_read,
           calendar_day today)
      : app_(app),
        view_(view),
        head_read_(head_read),
        today_(today) {}

  void judge(const proposed_topic& proposal) {
    auto state = outcome(proposal);
    if (!state)
      refused_.push_back(proposal.topic + ": " + state.error().detail);
    else
      states_[proposal.topic] = std::move(*state);
  }

  checklist_changes finish() && {
    checklist_draft draft(app_, view_);
    // In the app's order, so that equal analyses make equal journals.
    for (const auto& topic : app_.topics) {
      const auto found = states_.find(topic.id);
      if (found == states_.end() || !is_change(topic.id, found->second))
        continue;
      topic_updated change;
      change.topic = topic.id;
      change.status = found->second.status;
      change.value = found->second.value;
      change.evidence = found->second.evidence;
      change.by = topic_author::analyzer;
      change.head_read = head_read_;
      draft.put(std::move(change));
    }
    auto changes = std::move(draft).finish();
    changes.refused = std::move(refused_);
    return changes;
  }

private:
  static error refuse(std::string why) {
    return {.code = errc::invalid, .detail = std::move(why)};
  }

  [[nodiscard]] topic_state present(const std::string& topic) const {
    const auto found = states_.find(topic);
    return found != states_.end() ? found->second : without_rule(view_.topic(topic));
  }

  [[nodiscard]] bool is_change(const std::string& topic, const topic_state& state) const {
    const auto now = view_.topic(topic);
    if (state.status == topic_status::skipped && now.status == topic_status::skipped)
      return false;
    const auto bare = without_rule(now);
    return state.status != bare.status || !same_json(state.value, bare.value);
  }

  result<topic_state> outcome(const proposed_topic& proposal) const {
    const auto* topic = app_.find_topic(proposal.topic);
    if (!topic)
      return refuse("there is no such topic; use one of the ids that the tool's schema lists");
    const auto now = present(topic->id);
    if (head_read_ < now.person_seq)
      return refuse("a person changed it by hand after this analysis had read the conversation; "
                    "read again");
    if (const auto proven = check_evidence(proposal, now); !proven)
      return proven.error();
    return judged(*topic, now, proposal);
  }

  result<void> check_evidence(const proposed_topic& proposal, const topic_state& now) const {
    const auto& evidence = proposal.evidence;
    const bool is_optional = takes_away(proposal.status) && now.person_seq == 0;
    if (is_optional && evidence.item.empty() && evidence.quote.empty())
      return {};
    const auto* proof = view_.find_item(evidence.item);
    if (!proof)
      return refuse("the evidence names an item that is not in the conversation; give the id of "
                    "the message that says it");
    if (evidence.quote.empty() && !is_optional)
      return refuse("the evidence has no quote; quote the words of the message that say it");
    const auto& item = proof->value;
    if (item.text.find(evidence.quote) == std::string::npos
        && item.output.find(evidence.quote) == std::string::npos)
      return refuse("the quote does not stand in item " + item.id
                    + "; copy it from there letter by letter");
    // What was said before the person's edit is what the edit corrected.
    const bool is_visitors = item.kind == item_kind::message && item.role == item_role::user;
    if (now.person_seq > 0 && (!is_visitors || proof->seq < now.person_seq))
      return refuse("a person set it by hand; only what the visitor says after that can change it");
    return {};
  }

  /// The state that a proven proposal leads to.
  result<topic_state> judged(const topic_declaration& topic, const topic_state& now,
                             const proposed_topic& proposal) const {
    json_text value;
    if (!takes_away(proposal.status) && !proposal.value.empty()) {
      auto checked = check_topic_value(topic, proposal.value, today_);
      if (!checked)
        return checked.error();
      value = std::move(*checked);
    }
    auto next = now;
    next.evidence = proposal.evidence;
    next.status = proposal.status;
    if (is_persons_own(topic, now)) {
      const bool agrees = proposal.status == topic_status::answered
                          || proposal.status == topic_status::confirmed;
      if (agrees && (value.empty() || same_json(value, now.value)))
        return now;
      next.status = topic_status::contradicted;
      return next;
    }
    if (takes_away(proposal.status)) {
      if (proposal.status == topic_status::skipped && topic.required)
        return refuse("it is required and cannot be skipped; leave it open");
      next.value.clear();
      return next;
    }
    const bool keeps = value.empty()
                       || (proposal.status == topic_status::contradicted && !now.value.empty());
    if (!keeps)
      next.value = std::move(value);
    if (next.value.empty())
      return refuse("a value is missing; give the value, or the status \"open\"");
    return weighed(topic, now, std::move(next));
  }

  /// Confirming is a person's matter where the topic says so, and saying a confirmed value again
  /// takes nothing from it.
  static topic_state weighed(const topic_declaration& topic, const topic_state& now,
                             topic_state next) {
    if (next.status == topic_status::confirmed && topic.confirm == topic_confirm::person)
      next.status = topic_status::answered;
    if (next.status == topic_status::answered && now.status == topic_status::confirmed
        && same_json(next.value, now.value))
      return now;
    return next;
  }

  const app_definition& app_;
  const session_view& view_;
  std::uint64_t head_read_;
  calendar_day today_;
  std::map<std::string, topic_state> states_;
  std::vector<std::string> refused_;
};

} // namespace

checklist_changes judge_proposals(const app_definition& app, const session_view& view,
                                  const propose_topics& proposals, calendar_day today) {
  analysis judged(app, view, proposals.head_read, today);
  for (const auto& proposal : proposals.topics)
    judged.judge(proposal);
  return std::move(judged).finish();
}

} // namespace sidevoice
