#pragma once

#include "actors/answer_gate.hpp"
#include "actors/calls.hpp"
#include "actors/checklist.hpp"
#include "actors/interfaces.hpp"
#include "actors/journal.hpp"
#include "actors/parts.hpp"
#include "actors/patience.hpp"
#include "actors/responses.hpp"
#include "actors/turn_spans.hpp"
#include "config/rate.hpp"

#include <deque>
#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

/// The session actor's inside: its private messages, its state, and the parts its files share.
namespace sidevoice {

/// Store answers and deadlines, as the session sends them to itself.
struct journal_claimed {
  result<claimed> answer;
};
/// The release of a session that began with another one than the newest.
struct release_read {
  claimed session;
  result<release_found> answer;
};
struct append_answered {
  std::string append_id;
  result<appended> answer;
};
struct append_read_back {
  std::string append_id;
  result<append_found> answer;
};
/// A read of older events for a listener that attaches.
struct rest_read {
  std::uint64_t attach = 0;
  result<events_page> answer;
};
/// Time to look whether the store owes an answer.
struct store_deadline {};
/// Time to look whether a call of a tool is overdue.
struct call_deadline {};
/// A call that has something to say meanwhile has run for a moment.
struct call_is_slow {
  std::string call;
};
/// Time to look whether words of speech are overdue.
struct speech_deadline {};
/// The sound of this answer should have been sent by now.
struct playout_deadline {
  std::string item;
};
/// Time to look whether the turn has ended that a drain waits for; or the patience is over.
struct drain_look {
  bool over = false;
};
/// The idle time that began with this number is over.
struct idle_over {
  std::uint64_t idle = 0;
};

} // namespace sidevoice

SIDEVOICE_LOCAL_MESSAGE(journal_claimed)
SIDEVOICE_LOCAL_MESSAGE(release_read)
SIDEVOICE_LOCAL_MESSAGE(append_answered)
SIDEVOICE_LOCAL_MESSAGE(append_read_back)
SIDEVOICE_LOCAL_MESSAGE(rest_read)
SIDEVOICE_LOCAL_MESSAGE(store_deadline)
SIDEVOICE_LOCAL_MESSAGE(call_deadline)
SIDEVOICE_LOCAL_MESSAGE(call_is_slow)
SIDEVOICE_LOCAL_MESSAGE(speech_deadline)
SIDEVOICE_LOCAL_MESSAGE(playout_deadline)
SIDEVOICE_LOCAL_MESSAGE(drain_look)
SIDEVOICE_LOCAL_MESSAGE(idle_over)

namespace sidevoice {

using retry_atom = caf::atom_constant<caf::atom("retry")>;

using session_inner = session_actor::extend<
  caf::reacts_to<journal_claimed>, caf::reacts_to<release_read>, caf::reacts_to<append_answered>,
  caf::reacts_to<append_read_back>, caf::reacts_to<rest_read>, caf::reacts_to<store_deadline>,
  caf::reacts_to<call_deadline>, caf::reacts_to<call_is_slow>, caf::reacts_to<speech_deadline>,
  caf::reacts_to<playout_deadline>, caf::reacts_to<drain_look>, caf::reacts_to<idle_over>,
  caf::reacts_to<retry_atom>>;

/// Owned by one session actor; touched only inside its handlers.
class session_state {
public:
  static inline const char* name = "session";

  using pointer = session_inner::stateful_pointer<session_state>;

  explicit session_state(session_inner::pointer self);

  // -- life (session.cpp)
  // -----------------------------------------------------------------------------

  void start(const node_parts& parts, const find_session& who);
  /// The journal is folded, and the session's beginning is durable: only then does it answer.
  [[nodiscard]] bool loaded() const {
    return log_.has_value() && log_->durable()->head > 0;
  }
  void on_claimed(result<claimed> answer);
  void on_release(release_read read);
  void on_down(const caf::down_msg& down);
  void on_idle(const idle_over& over);
  /// Watches for the idle time where there is neither client nor work.
  void check_idle();

  // -- writing (session_writes.cpp)
  // ---------------------------------------------------------------------

  using when_durable = std::function<void(const error*)>;

  /// Journals events. `done` is called once they are durable (null) or refused (the error).
  void write(std::vector<event_body> events, when_durable done);
  /// Begins what may begin now and hands the queue to the store. After every write.
  void pump();
  void on_appended(append_answered answered);
  void on_read_back(append_read_back answered);
  void on_store_deadline();
  void on_retry();

  // -- what clients ask (session_commands.cpp)
  // --------------------------------------------------------------

  using promise = caf::typed_response_promise<accepted>;

  promise on_put(put_item command);
  promise on_remove(const remove_item& command);
  caf::result<accepted> on_get(const get_item& command) const;
  promise on_request(const request_response& command);
  promise on_cancel(const cancel_response& command);
  promise on_edit(const edit_topic& command);
  promise on_undo(const undo_topic& command);
  promise on_end(const end_session& command);
  promise on_answer_call(const answer_call& command);
  promise on_approval(const answer_approval& command);
  caf::typed_response_promise<analysis_taken> on_proposals(const propose_topics& proposals);

  // -- calls of tools (session_calls.cpp)
  // ---------------------------------------------------------------------

  void on_offer(const offer_tools& offer);
  void on_call_done(call_done done);
  void on_call_deadline();
  void on_call_slow(const call_is_slow& slow);

  // -- the voice seat (session_voice.cpp, session_playout.cpp)
  // ---------------------------------------------------------------------

  void on_keeper(const voice_keeper& keeper) {
    keeper_ = keeper;
  }
  caf::typed_response_promise<seat_taken> on_take_seat(const take_seat& request);
  void on_change_seat(const change_seat& change);
  void on_leave_seat(const leave_seat& leave);
  void on_join_voice(const join_voice& join);
  void on_overdue(const transcript_overdue& overdue);
  void on_filler(const say_filler& filler);
  caf::typed_response_promise<speech_committed> on_commit_speech(const commit_speech& speech);
  promise on_transcript(const put_transcript& words);
  promise on_prompt(const request_prompt& prompt);
  promise on_interrupt(const interrupt_speech& command);
  promise on_hear(const hear_item& command);
  void on_playout(const playout_report& report);
  void on_measured(turn_measured measured);
  void on_speech_deadline();
  void on_playout_deadline(const playout_deadline& deadline);

  // -- listeners and the runner (session_listeners.cpp)
  // -----------------------------------------------------

  caf::typed_response_promise<attached> on_attach(attach request);
  void on_rest(rest_read rest);
  [[nodiscard]] attached state_for(bool snapshot, std::vector<event_ptr> events) const;
  void on_join(const join_runner& offer);
  void on_delta(answer_delta piece);
  void on_answer(answer_done done);
  void publish(std::vector<event_ptr> events);
  void tell_all(const notice& what);

  // -- going away (session_drain.cpp)
  // ---------------------------------------------------------------------

  void on_drain(const drain_session& how);
  void on_drain_look(const drain_look& look);

private:
  /// Takes a command whose events have been decided: journals them, answers once durable.
  promise accept(std::vector<event_body> events);
  promise refuse(const error& why);
  /// Why no answer may be asked for now: the app's limits.
  std::optional<error> over_limit();
  /// Known already: waits until `seq` is durable, then answers as the first time.
  promise repeat(std::uint64_t seq);
  void deliver(promise answer, std::uint64_t seq, bool repeated);
  void await(std::uint64_t seq, when_durable done);
  void submit(const append_events& append);
  void on_refused(const error& why);
  void arm_deadline();
  void take_over(const claimed& session);
  void begin_life();
  void trace_claim();
  void trace_take_over(const claimed& session);
  void publish_committed();
  void let_out(answer_gate::release out);
  void tell(const answer_delta& piece);
  void count_event(const event& e);
  void watch_budget(const event& e);
  /// Ends the running response, if any, in the same append as what interrupts it.
  void interrupt(const std::string& reason, std::vector<event_body>& events);
  [[nodiscard]] bool finishing() const;
  void lose_run();
  void fail(const error& why);
  void add_listener(const attach& request);
  [[nodiscard]] calendar_day today() const;
  void drop_calls(std::vector<event_body>& events);
  void decide_tools();
  /// The session runs a release that is only previewed.
  [[nodiscard]] bool is_tried_out() const;
  void follow_call(const event_body& body);
  void wait_for_call(const call_state& call);
  void hand_out(const call_state& call);
  void lose_runner();
  void end_voice(std::uint64_t seat);
  void lose_seat();
  void speak_greeting();
  [[nodiscard]] std::string language() const;
  void wait_for_words(const std::string& item);
  void open_speech(const run_response& run);
  void speak_rest(answer_done done);
  void tell_text();
  void complete_answer(spoken_ms spoken);
  void note_playing(const playout_point& point);
  void end_answer(answer_done done, spoken_ms spoken);
  [[nodiscard]] bool turn_is_over() const;
  void leave_if_over();
  void leave();
  void send_away(const listener_actor& who);
  [[nodiscard]] std::string fixed_words(const response_state& response) const;
  [[nodiscard]] spoken_ms spoken_so_far() const;
  [[nodiscard]] std::string heard_of_answer(std::string& held) const;
  void lose_page(const caf::actor_addr& page);
  void find_offers();
  [[nodiscard]] listener_actor page_for(const std::string& tool) const;
  [[nodiscard]] const session_view& ahead() const {
    return *log_->ahead();
  }

  struct waiting {
    std::uint64_t seq;
    when_durable done;
  };
  struct listener {
    listener_actor who;
    bool is_client;
    /// Tools it runs; the higher number offered later.
    std::vector<std::string> offers = {};
    std::uint64_t offered = 0;
  };
  /// Who talks, and the actors that serve them.
  struct voice_seat {
    std::uint64_t number = 0;
    seat_actor holder;
    seat_terms terms;
    audio_actor audio;
    stt_actor stt;
    tts_actor tts;
    seat_register::ticket ticket;
  };
  struct pending_attach {
    attach request;
    caf::typed_response_promise<attached> answer;
  };

  session_inner::pointer self_;
  node_parts parts_;
  find_session who_;
  std::optional<journal> log_;
  std::deque<waiting> waiting_;
  std::vector<listener> listeners_;
  std::unordered_map<std::uint64_t, pending_attach> attaching_;
  runner_actor runner_;
  /// Number of the newest runner that has come.
  caf::actor_id newest_runner_ = 0;
  runner_status runner_status_;
  answer_gate gate_;
  std::unordered_map<std::string, response_options_ptr> options_;
  /// What models have cost up to the newest event that was published.
  std::uint64_t spent_ = 0;
  rate_bucket turns_;
  call_status calls_;
  /// When each open call is given up.
  std::unordered_map<std::string, loop::clock::time_point> call_due_;
  /// Who runs a call of a page.
  std::unordered_map<std::string, listener_actor> page_of_;
  bool calls_watched_ = false;
  /// Calls whose start has become durable with the events that are being published.
  std::vector<std::string> calls_due_out_;
  voice_keeper keeper_;
  std::optional<voice_seat> seat_;
  std::uint64_t seats_ = 0;
  /// Item of the running answer, where it is spoken.
  std::string spoken_item_;
  /// An answer whose text is whole and whose sound is still going out; its text has been told.
  std::optional<answer_done> speaking_;
  bool text_told_ = false;
  playout_point playing_;
  /// When speech without words is given up.
  std::unordered_map<std::string, loop::clock::time_point> speech_due_;
  bool speech_watched_ = false;
  std::uint64_t next_number_ = 0;
  /// For the awaited store answer.
  patience store_patience_;
  /// A timer is under way that looks at it.
  bool store_watched_ = false;
  std::uint64_t idle_ = 0;
  /// The store refused; its own work waits for the retry.
  bool paused_ = false;
  bool read_back_ = false;
  /// The node goes away: nothing begins any more, and once the turn is over clients are sent away.
  bool draining_ = false;
  bool left_ = false;
  /// When the newest spoken answer will have been played.
  loop::clock::time_point played_at_;
  std::uint64_t snapshot_at_ = 0;
  /// Unset: nobody traces.
  std::optional<turn_spans> spans_;
  /// From the claim until the journal is folded.
  live_span claim_span_;
};

} // namespace sidevoice
