#pragma once

#include "actors/messages.hpp"
#include "config/voice.hpp"
#include "providers/sound.hpp"
#include "providers/stt.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

/// What is said around the voice seat, in the order an utterance meets it. Sound positions are
/// milliseconds of the microphone's stream. An utterance is named by the id that its item will
/// have.
namespace sidevoice {

/// How whoever holds the seat talks.
struct seat_terms {
  turn_settings turns;
  /// Answers are to be spoken; else this client only talks and reads.
  bool speaks = true;
  /// Names a voice of the engine; empty: the app's.
  std::string voice;
  double speed = 1.0;
  /// The client flushes what it plays as soon as speech begins: an interruption is one at once.
  bool interrupts_at_once = false;
  /// What answers to speech are made with.
  response_options_ptr options;
};

struct seat_taken {
  /// Counts the seats of this incarnation of the session; larger is newer.
  std::uint64_t seat = 0;
};

/// New terms of the seat's holder.
struct change_seat {
  std::uint64_t seat = 0;
  seat_terms terms;
};

/// The holder stops talking and listening.
struct leave_seat {
  std::uint64_t seat = 0;
};

// -- the connection's side of the sound
// ----------------------------------------------------------------------

/// Up to where an answer's sound has come.
struct playout_point {
  /// Item of the answer; empty: nothing is being spoken.
  std::string item;
  /// Sound handed to the client, and how much of it has been played: the client's report where it
  /// makes any, else by the clock.
  std::uint32_t sent_ms = 0;
  std::uint32_t played_ms = 0;
  /// Bytes of the answer's text that have been heard; cut between code points.
  std::size_t heard_text = 0;
  /// Sound is on its way to the visitor's ear.
  bool audible = false;
};

enum class edge_kind {
  /// A voice began.
  begun,
  /// It has been silent for a moment; the utterance is still open.
  paused,
  /// It goes on after a pause.
  resumed,
  /// The utterance is over: by silence, by the client's commit, or at its greatest length.
  ended
};

struct speech_edge {
  edge_kind kind = edge_kind::begun;
  std::string utterance;
  std::string stream;
  /// With prefix padding.
  std::uint64_t from_ms = 0;
  /// Where the edge is; of an end, with the silence.
  std::uint64_t at_ms = 0;
  /// Milliseconds with voice in it so far.
  std::uint32_t voiced_ms = 0;
  /// Silence that it took to notice an end or a pause.
  std::uint32_t silence_ms = 0;
  /// The client said so.
  bool manual = false;
  playout_point playing;
  /// The utterance's newest 8 s, for an end-of-turn model; only with `paused`.
  samples_ptr tail;
};

/// Sent while an answer is spoken, some times a second, and at its end.
struct playout_report {
  playout_point point;
  /// The last of it has been handed to the client.
  bool sent_all = false;
  /// It has been played to its end, as far as one can know.
  bool played_all = false;
  /// The first sound of this item went out, or was played, just now.
  bool first_sent = false;
  bool first_played = false;
};

/// The buffer before the pacer has room for more speech.
struct want_speech {};

/// Speak the open answer from this byte of its text on: what comes before is with the client
/// already.
struct speak_from {
  std::string item;
  std::size_t text_end = 0;
};

// -- the voice actors' side
// -----------------------------------------------------------------------------------

/// The stream that takes this seat's sound from now on; utterances whose words are not known are
/// pushed into it again.
struct voice_feed {
  std::uint64_t seat = 0;
  std::shared_ptr<stt_stream> stream;
};

/// What the engine made of an utterance.
struct utterance_text {
  std::string utterance;
  std::string text;
  bool is_final = false;
  /// No engine could do it; the text is empty.
  bool failed = false;
};

/// Words so far, for the eye only.
struct live_words {
  std::string utterance;
  std::string text;
};

/// A piece of an answer's sound.
struct speech_sound {
  std::string response;
  std::uint32_t attempt = 1;
  std::string item;
  /// May be empty.
  sound piece;
  /// The answer's text is spoken up to this byte at the end of the piece; as of the piece before:
  /// not known yet.
  std::size_t text_end = 0;
  /// And about this far, where the clause is still being spoken; 0: as `text_end`.
  std::size_t text_near = 0;
  /// Nothing more of this answer is spoken.
  bool last = false;
};

/// What to do with the sound of an answer.
enum class playout_command { hold, release, drop };
struct playout_order {
  playout_command what = playout_command::hold;
  std::string item;
};

/// The utterance needs no keeping any more: its words are durable, or it was none.
struct utterance_settled {
  std::string utterance;
  /// It was no speech; nothing of it is in the history.
  bool dropped = false;
};

/// The turn is over, and why. For "semantic" the connection ends the utterance, which is still
/// open; else this is for the developer's eye.
struct turn_over {
  std::string utterance;
  /// "silence", "semantic", "manual", "limit"
  std::string why;
  std::uint32_t silence_ms = 0;
  /// Of the end-of-turn model; negative: not asked.
  float probability = -1;
};

/// Somebody else has the seat now, or nobody.
struct seat_lost {
  std::uint64_t seat = 0;
  /// "taken", "ended", "failed"
  std::string reason;
};

// -- voice actors to the session
// ------------------------------------------------------------------------------

/// The visitor's turn is over. Answered once `input.speech` is durable; `accepted.seq`. An open
/// utterance of the same stream that it overlaps is the same speech, heard again: `repeated` is
/// set, and its item is the one to go on with.
struct commit_speech {
  std::string item;
  std::string stream;
  std::uint64_t from_ms = 0;
  std::uint64_t to_ms = 0;
};
struct speech_committed {
  /// As asked for, or of the speech that was heard before.
  std::string item;
  /// All of it has been dealt with before: nothing is to be done.
  bool known = false;
};

/// What was said; with `answer`, asks for a response, and interrupts a running one.
struct put_transcript {
  std::string item;
  std::string text;
  /// As of `input_transcribed`.
  std::string reason;
  bool answer = false;
  std::string response;
  playout_point playing;
};

/// The visitor interrupts the running answer, which was heard this far. Errors: `not_found`.
struct interrupt_speech {
  playout_point playing;
  /// "turn_detected" or "client_cancelled"
  std::string reason = "turn_detected";
};

/// The visitor is silent: the agent speaks up.
struct request_prompt {
  std::string response;
  /// What it says; empty: the model decides.
  std::string say;
};

/// This answer is to be spoken. After a restart of the voice (`again`) it may be in its middle:
/// `speak_from` says where to go on.
struct speech_open {
  std::string response;
  std::uint32_t attempt = 1;
  std::string item;
  bool again = false;
};

/// The engine owes the words of this utterance: somebody else is to do it.
struct transcript_overdue {
  std::string utterance;
};

/// The answer's text is complete: whatever of it has not been spoken is spoken now.
struct text_complete {
  std::string response;
  std::uint32_t attempt = 1;
  std::string item;
  /// All of it.
  std::string text;
};

/// Something to be said that is no part of the history, such as "one moment".
struct say_filler {
  std::string id;
  std::string text;
};

} // namespace sidevoice

SIDEVOICE_LOCAL_MESSAGE(seat_taken)
SIDEVOICE_LOCAL_MESSAGE(change_seat)
SIDEVOICE_LOCAL_MESSAGE(leave_seat)
SIDEVOICE_LOCAL_MESSAGE(speech_edge)
SIDEVOICE_LOCAL_MESSAGE(playout_report)
SIDEVOICE_LOCAL_MESSAGE(want_speech)
SIDEVOICE_LOCAL_MESSAGE(speak_from)
SIDEVOICE_LOCAL_MESSAGE(voice_feed)
SIDEVOICE_LOCAL_MESSAGE(utterance_text)
SIDEVOICE_LOCAL_MESSAGE(live_words)
SIDEVOICE_LOCAL_MESSAGE(speech_sound)
SIDEVOICE_LOCAL_MESSAGE(playout_order)
SIDEVOICE_LOCAL_MESSAGE(utterance_settled)
SIDEVOICE_LOCAL_MESSAGE(turn_over)
SIDEVOICE_LOCAL_MESSAGE(seat_lost)
SIDEVOICE_LOCAL_MESSAGE(commit_speech)
SIDEVOICE_LOCAL_MESSAGE(speech_committed)
SIDEVOICE_LOCAL_MESSAGE(put_transcript)
SIDEVOICE_LOCAL_MESSAGE(interrupt_speech)
SIDEVOICE_LOCAL_MESSAGE(request_prompt)
SIDEVOICE_LOCAL_MESSAGE(speech_open)
SIDEVOICE_LOCAL_MESSAGE(transcript_overdue)
SIDEVOICE_LOCAL_MESSAGE(text_complete)
SIDEVOICE_LOCAL_MESSAGE(say_filler)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sidevoice::turn_measured)
