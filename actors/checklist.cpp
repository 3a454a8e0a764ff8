#include "actors/checklist.hpp"

#include "actors/checklist_draft.hpp"

#include <utility>

namespace sidevoice {

namespace {

error refused(const char* param, std::string detail) {
  return {.code = errc::invalid, .detail = std::move(detail), .param = param};
}

/// What a person makes of a topic. Whoever types a value confirms it.
result<topic_updated> edited(const topic_declaration& topic, const topic_state& now,
                             const edit_topic& edit, calendar_day today) {
  topic_updated change;
  change.topic = topic.id;
  change.status = edit.status.value_or(topic_status::confirmed);
  const bool empties = edit.value ? same_json(*edit.value, "null")
                                  : edit.status && *edit.status == topic_status::open;
  if (empties) {
    if (edit.status && *edit.status != topic_status::open && *edit.status != topic_status::skipped)
      return refused("status", topic.id + " cannot be " + to_string(*edit.status)
                                 + " without a value; send a value, or the status \"open\"");
    change.status = edit.status.value_or(topic_status::open);
    return change;
  }
  if (!edit.value) {
    if (change.status != topic_status::skipped && now.value.empty())
      return refused("value", topic.id + " has no value yet that could be "
                                + std::string{to_string(change.status)} + "; send a value");
    change.value = now.value;
    return change;
  }
  if (change.status == topic_status::open || change.status == topic_status::skipped)
    return refused("status", topic.id + " cannot be " + to_string(change.status)
                               + " and have a value; leave out one of them");
  auto value = check_topic_value(topic, *edit.value, today);
  if (!value)
    return error{.code = value.error().code,
                 .detail = value.error().detail,
                 .param = "value",
                 .reason = value.error().reason};
  change.value = std::move(*value);
  return change;
}

} // namespace

result<checklist_changes> judge_edit(const app_definition& app, const session_view& view,
                                     const edit_topic& edit, calendar_day today) {
  const auto* topic = app.find_topic(edit.topic);
  if (!topic)
    return error{.code = errc::not_found,
                 .detail = "There is no such topic; the app file lists them under checklist.topics",
                 .param = "topic"};
  const auto now = view.topic(topic->id);
  if (edit.base_revision != now.revision)
    return error{.code = errc::conflict,
                 .detail = topic->id + " is at revision " + std::to_string(now.revision)
                           + ", the edit is based on " + std::to_string(edit.base_revision)
                           + "; look at the topic again and repeat the edit with its revision",
                 .param = "base_revision",
                 .reason = "revision"};
  auto change = edited(*topic, without_rule(now), edit, today);
  if (!change)
    return change.error();
  change->by = topic_author::person;
  change->head_read = view.head;
  change->edit = edit.edit;
  checklist_draft draft(app, view);
  draft.put(std::move(*change));
  return std::move(draft).finish();
}

result<checklist_changes> judge_undo(const app_definition& app, const session_view& view,
                                     const undo_topic& undo) {
  if (view.changes.empty())
    return error{.code = errc::not_found,
                 .detail = "No change of the checklist is left to undo",
                 .reason = "nothing_to_undo"};
  const auto& newest = view.changes.back();
  // Conditions are judged anew, so what a condition had hidden is put back bare.
  const auto before = without_rule(newest.before);
  checklist_draft draft(app, view);
  draft.put({.topic = newest.topic,
             .status = before.status,
             .value = before.value,
             .evidence = before.evidence,
             .by = topic_author::person,
             .head_read = view.head,
             .edit = undo.edit,
             .undo = true});
  return std::move(draft).finish();
}

checklist_changes begin_checklist(const app_definition& app, const session_view& view) {
  return checklist_draft(app, view).finish();
}

} // namespace sidevoice
