#pragma once

#include "actors/messages.hpp"
#include "actors/voice_messages.hpp"

#include <chrono>
#include <optional>
#include <variant>

/// All typed handles. Typed aliases cannot name each other in a circle, so this is a ladder: each
/// rung names only rungs above it in this file.
namespace sidevoice {

using view_atom = caf::atom_constant<caf::atom("view")>;
using stop_atom = caf::atom_constant<caf::atom("stop")>;
using tree_atom = caf::atom_constant<caf::atom("tree")>;

/// Follows a session: connections, the analyzer, the lab's observers.
using listener_actor = caf::typed_actor<
  // Durable events, in order, each once.
  caf::reacts_to<published>,
  // A piece of the running answer.
  caf::reacts_to<answer_delta>,
  // Something the visitor should know.
  caf::reacts_to<notice>,
  // The session goes on elsewhere.
  caf::reacts_to<move_away>,
  // A call that this listener is to run, and that it need not run any more.
  caf::reacts_to<tool_call>, caf::reacts_to<tool_cancelled>>;

/// Runs responses, one at a time: the conversation.
using runner_actor = caf::typed_actor<
  // Begin; the session has used up the credit that `join_runner` or `answer_done` gave.
  caf::reacts_to<run_response>,
  // Forget this run; nothing more of it is wanted, and the credit comes back by answer_done.
  caf::reacts_to<cancel_run>,
  // Run a tool of this server, beside whatever else runs.
  caf::reacts_to<run_call>, caf::reacts_to<cancel_call>>;

// -- the voice seat: three actors, while somebody holds it
// ----------------------------------------------------

/// Turn taking and interruptions.
using audio_actor = caf::typed_actor<
  // From the connection.
  caf::reacts_to<speech_edge>, caf::reacts_to<playout_report>,
  // From stt.
  caf::reacts_to<utterance_text>,
  // From the session: the answer of this seat moves on.
  caf::reacts_to<published>, caf::reacts_to<answer_delta>, caf::reacts_to<notice>,
  caf::reacts_to<move_away>, caf::reacts_to<tool_call>, caf::reacts_to<tool_cancelled>,
  caf::reacts_to<change_seat>>;

/// Sound to words: gives the connection its feed, and audio what comes of it.
using stt_actor = caf::typed_actor<caf::reacts_to<audio_actor>, caf::reacts_to<transcript_overdue>>;

/// Words to sound.
using tts_actor = listener_actor::extend<caf::reacts_to<speech_open>, caf::reacts_to<text_complete>,
                                         caf::reacts_to<say_filler>, caf::reacts_to<change_seat>,
                                         // From the connection.
                                         caf::reacts_to<want_speech>, caf::reacts_to<speak_from>>;

/// Who takes the seat's sound now. Sent again whenever one of them has been restarted.
struct voice_team {
  std::uint64_t seat = 0;
  audio_actor audio;
  tts_actor tts;
};

} // namespace sidevoice

SIDEVOICE_LOCAL_MESSAGE(voice_team)

namespace sidevoice {

/// The connection that holds the seat.
using seat_actor =
  caf::typed_actor<caf::reacts_to<voice_team>, caf::reacts_to<voice_feed>,
                   caf::reacts_to<live_words>, caf::reacts_to<speech_sound>,
                   caf::reacts_to<playout_order>, caf::reacts_to<utterance_settled>,
                   caf::reacts_to<turn_over>, caf::reacts_to<seat_lost>>;

/// Take the seat; who holds it now loses it. Errors: `unavailable` with reason "voice_unavailable"
/// (no engines for this app; the detail says what is missing), `overloaded` with reason
/// "voice_sessions".
struct take_seat {
  seat_actor who;
  seat_terms terms;
};

/// A voice actor has started.
struct join_voice {
  std::uint64_t seat = 0;
  std::variant<audio_actor, stt_actor, tts_actor> who;
};

/// What the supervisor starts the voice actors with.
struct start_voice {
  std::uint64_t seat = 0;
  seat_actor holder;
  seat_terms terms;
};
struct stop_voice {
  std::uint64_t seat = 0;
};

} // namespace sidevoice

SIDEVOICE_LOCAL_MESSAGE(take_seat)
SIDEVOICE_LOCAL_MESSAGE(join_voice)
SIDEVOICE_LOCAL_MESSAGE(start_voice)
SIDEVOICE_LOCAL_MESSAGE(stop_voice)

namespace sidevoice {

/// Keeps the voice actors of a session running.
using voice_keeper = caf::typed_actor<caf::reacts_to<start_voice>, caf::reacts_to<stop_voice>>;

/// Attach a listener. With `snapshot`, the state comes whole; else the durable events after
/// `after`.
struct attach {
  listener_actor who;
  std::uint64_t after = 0;
  bool snapshot = true;
  /// Counts for the idle time: true for connections, false for the tree's own children.
  bool is_client = true;
};

/// The tools that this listener runs from now on, instead of those it offered before. The newest
/// offer of a name counts.
struct offer_tools {
  listener_actor who;
  std::vector<std::string> names;
};

/// Offers to run responses; gives the session one credit.
struct join_runner {
  runner_actor who;
};

} // namespace sidevoice

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sidevoice::voice_keeper)
SIDEVOICE_LOCAL_MESSAGE(attach)
SIDEVOICE_LOCAL_MESSAGE(join_runner)
SIDEVOICE_LOCAL_MESSAGE(offer_tools)

namespace sidevoice {

/// One conversation of one user. Answers nothing before its journal is loaded.
using session_actor = caf::typed_actor<
  // Error `invalid` with reason `future` when `after` is beyond the head.
  caf::replies_to<attach>::with<attached>, caf::replies_to<put_item>::with<accepted>,
  caf::replies_to<remove_item>::with<accepted>, caf::replies_to<get_item>::with<accepted>,
  caf::replies_to<request_response>::with<accepted>,
  caf::replies_to<cancel_response>::with<accepted>, caf::replies_to<edit_topic>::with<accepted>,
  caf::replies_to<undo_topic>::with<accepted>, caf::replies_to<answer_call>::with<accepted>,
  caf::replies_to<answer_approval>::with<accepted>, caf::replies_to<end_session>::with<accepted>,
  // Replaces the listener's offer.
  caf::reacts_to<offer_tools>,
  // The voice seat.
  caf::replies_to<take_seat>::with<seat_taken>, caf::reacts_to<change_seat>,
  caf::reacts_to<leave_seat>, caf::reacts_to<playout_report>,
  caf::replies_to<hear_item>::with<accepted>, caf::replies_to<interrupt_speech>::with<accepted>,
  // The voice actors' side.
  caf::reacts_to<voice_keeper>, caf::reacts_to<join_voice>,
  caf::replies_to<commit_speech>::with<speech_committed>,
  caf::replies_to<put_transcript>::with<accepted>, caf::replies_to<request_prompt>::with<accepted>,
  caf::reacts_to<turn_measured>, caf::reacts_to<transcript_overdue>, caf::reacts_to<say_filler>,
  // The children's side.
  caf::reacts_to<join_runner>, caf::reacts_to<answer_delta>, caf::reacts_to<answer_done>,
  caf::reacts_to<call_done>, caf::replies_to<propose_topics>::with<analysis_taken>,
  // From the supervisor: for all listeners, and the way out.
  caf::reacts_to<notice>, caf::reacts_to<drain_session>,
  // The state at the durable head.
  caf::replies_to<view_atom>::with<attached>>;

/// One line of the supervision tree, for /debug/tree.
struct tree_entry {
  /// Path of names such as "session/conversation".
  std::string name;
  std::string session;
  std::uint64_t restarts = 0;
  std::string last_reason;
  /// Crashes that count now, and how many are too many.
  std::uint64_t crashes = 0;
  std::uint64_t crashes_max = 0;
  /// Messages that waited before it when it was asked.
  std::uint64_t waiting = 0;
  /// How long a question to it took; unset: no answer in time.
  std::optional<std::chrono::microseconds> queue_age = {};
};

struct tree_report {
  std::vector<tree_entry> entries;
};

/// Keeps a session's actors running: restarts with backoff, ends the session when that does not
/// help.
using session_supervisor_actor = caf::typed_actor<
  // The session, once it runs.
  caf::replies_to<find_session>::with<session_actor>, caf::replies_to<tree_atom>::with<tree_report>,
  // Starts the voice actors, instead of those of an older seat; ends them.
  caf::reacts_to<start_voice>, caf::reacts_to<stop_voice>,
  // For the session, and for one of its actors.
  caf::reacts_to<drain_session>, caf::reacts_to<fault_order>,
  // Ends the tree; nothing is lost, since all of it is in the journal.
  caf::reacts_to<stop_atom>>;

/// Finds or makes the owner of a session.
using directory_actor = caf::typed_actor<
  // Errors: `not_found`, `unavailable`, `overloaded`.
  caf::replies_to<find_session>::with<session_actor>, caf::replies_to<tree_atom>::with<tree_report>,
  // To all sessions; no new ones from then on.
  caf::reacts_to<drain_session>,
  // To those that it names.
  caf::reacts_to<fault_order>, caf::reacts_to<stop_atom>>;

} // namespace sidevoice

SIDEVOICE_LOCAL_MESSAGE(tree_report)
