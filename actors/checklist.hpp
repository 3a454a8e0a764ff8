#pragma once

#include "actors/messages.hpp"
#include "config/app.hpp"
#include "config/topic_value.hpp"

#include <vector>

/// Decides what becomes of the checklist. Pure: the state comes in, events come out.
namespace sidevoice {

/// The events that a change makes, in order: topic.updated for the change itself, then for the
/// topics whose `when` it switched (status `skipped`, or back to what they had), then
/// session.completed or session.reopened where it tipped the balance. Revisions count up from
/// view.revision + 1.
struct checklist_changes {
  std::vector<event_body> events;
  /// Why each refused proposal was refused; a sentence that names topic and remedy.
  std::vector<std::string> refused;
};

/// An analysis. Refuses what the topic's schema refuses, evidence that is no substring of its item,
/// a topic that a person changed after `head_read` or after the message that is the evidence (which
/// must then be the visitor's), and what changes nothing (silently). A value
/// for a topic with `confirm: person` that a person had set becomes `contradicted` and keeps its
/// value. A topic with `confirm: read_back` goes to `answered`, and to `confirmed` when the
/// analysis says so.
checklist_changes judge_proposals(const app_definition& app, const session_view& view,
                                  const propose_topics& proposals, calendar_day today);

/// A person's edit by hand: `confirmed`, evidence empty. A value of JSON null empties the topic
/// (`open`).
result<checklist_changes> judge_edit(const app_definition& app, const session_view& view,
                                     const edit_topic& edit, calendar_day today);

/// Puts back what the newest change of a value replaced.
result<checklist_changes> judge_undo(const app_definition& app, const session_view& view,
                                     const undo_topic& undo);

/// The changes with which a session begins: topics whose `when` does not hold are `skipped`.
checklist_changes begin_checklist(const app_definition& app, const session_view& view);

/// True when every required topic that is not skipped has what it needs (`answered`; `confirmed`
/// where it says read_back or person). Where no topic is required, all of them are; an app without
/// topics is never complete.
bool is_complete(const app_definition& app, const session_view& view);

/// The topic to ask next; null when none is left. Array order, `after` first, required before
/// optional ones only through that order; `contradicted` ones and read-backs come first. What only
/// a person's click can settle (`confirm: person`) comes last: no word of the visitor helps there.
/// Topics in `leave_out` (just touched) are not named.
const topic_declaration* next_topic(const app_definition& app, const session_view& view,
                                    const std::vector<std::string>& leave_out = {});

} // namespace sidevoice
