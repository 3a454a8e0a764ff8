#pragma once

#include "gateway/connection_inner.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>

/// The voice side of one connection: the seat, the way of the client's sound to stt and audio, and
/// the pace of the answers' sound. Outlives restarts of the session and of the voice actors:
/// what they have not dealt with is given to them again.
namespace sidevoice {

/// Owned by the connection's state; touched only inside its handlers. After `stop` every call does
/// nothing.
class connection_voice {
public:
  /// What the rest of the connection does for it.
  struct hands {
    std::function<void(codec_actions)> perform;
    /// A command that is repeated until it is answered.
    std::function<void(send_command)> send;
    /// The session is needed, and is not there.
    std::function<void()> search;
  };

  connection_voice(connection_inner::pointer self, connection_parts_ptr parts, hands can);
  ~connection_voice();

  // -- the client's wishes

  void set(const set_voice& how);
  void ask(const ask_seat& wish);
  void give();
  void take(sound_in in);
  void commit(const commit_sound& wish);
  void clear();
  void played(const client_played& report);
  void truncate(const truncate_item& wish);

  // -- the session

  void on_attached(const session_actor& session, const attached& state);
  /// The codec has been given this batch already.
  void on_published(const published& batch);
  /// The session is gone; the seat is taken again once it is back.
  void on_session_lost();
  /// The seat is wanted: the session may not sleep.
  [[nodiscard]] bool wants_seat() const {
    return wish_ != wish::none;
  }

  // -- the seat's messages

  void on(const voice_team& team);
  void on(const voice_feed& feed);
  void on(const live_words& words);
  void on(const speech_sound& piece);
  void on(const playout_order& order);
  void on(const utterance_settled& which);
  void on(const turn_over& turn);
  void on(const seat_lost& loss);
  void on(const sound_due& due);
  void on(const commit_overdue& overdue);

  /// True for a request for an answer right behind a commit: it is taken, and goes to the session
  /// once the committed speech is in the journal, so that it is an answer to that.
  [[nodiscard]] bool defers(send_command& what);

  /// Up to where the answer has been heard by now, to the session, which cuts it there.
  void tell_heard();
  /// The connection ends: gives the seat back.
  void stop();

private:
  enum class wish {
    none,
    /// Asked for; there is no answer yet, or the session is away.
    asked,
    held
  };
  /// What the client sends before its stream has begun.
  using early = std::variant<sound_in, commit_sound, clear_sound>;
  using time = loop::clock::time_point;

  [[nodiscard]] bool is_off() const {
    return parts_ == nullptr;
  }
  void count(counter which, std::uint64_t by = 1);
  void perform(codec_actions actions);
  void say_seat(const std::string& state, const error& why);

  // -- the seat (connection_seat.cpp)

  bool open_ways();
  void request_seat();
  void on_seat(std::uint64_t run, const seat_taken& seat);
  void on_refused(std::uint64_t run, const caf::error& why);
  void let_go();
  void give_back(std::uint64_t seat);
  /// The message is of a voice actor that was given up, and comes late: its successor is younger.
  template <class Actor>
  [[nodiscard]] bool is_outdated(const Actor& known) const {
    const auto& sender = self_->current_sender();
    return known && sender && sender->id() < known.id();
  }
  void begin_stream();
  void keep_early(early what);
  void drop_early();

  // -- the way in (connection_voice.cpp), and out (connection_playout.cpp)

  void input(voice_input::steps steps, bool settled = false);
  void step(speech_edge& edge);
  void feed(const input_step& one);
  void feed_again();
  /// The first of a stream, and those `at_once`, are said; others where enough sound is between.
  void acknowledge(std::uint64_t to_ms, bool at_once);
  void settle(const std::string& utterance, bool dropped);
  void add(const speech_sound& piece);
  void hold(const std::string& item, bool held);
  void close_sound(const std::string& item);
  void end_sound(const std::string& item);
  void release_dropped(const std::string& item);
  void pump();
  void wake_at(time when);
  void report(const playout_report& what);
  void take_event(const event& e);
  stream_position& position_of(const std::string& stream);
  /// Its words are known, or nobody wants them.
  void close_speech(const std::string& item, bool is_lost);
  void committed(const std::string& utterance);
  void send_deferred();

  connection_inner::pointer self_;
  /// Null: stopped.
  connection_parts_ptr parts_;
  hands can_;
  /// Null: away.
  session_actor session_;

  // The seat.
  seat_terms terms_;
  voice_output_settings pace_;
  bool watch_ = false;
  wish wish_ = wish::none;
  /// Answers to older requests are void.
  std::uint64_t run_ = 0;
  std::uint64_t seat_ = 0;
  /// Of this seat, or of one whose number is not known yet.
  std::optional<voice_team> team_;
  std::optional<voice_feed> feed_;

  // The way in. Null before the first seat.
  std::unique_ptr<voice_input> in_;
  /// The client's stream, and where it begins; until then sound is kept.
  std::optional<ask_seat> stream_;
  bool is_streaming_ = false;
  std::deque<early> early_;
  std::uint64_t early_ms_ = 0;
  /// Unset: nothing of this stream.
  std::optional<std::uint64_t> acknowledged_;
  /// What of streams has been dealt with, as the journal has it; and open speech.
  std::map<std::string, stream_position> heard_;
  std::map<std::string, speech_state> open_speech_;
  /// Utterances that the client has committed and the journal does not have yet, and what waits for
  /// them.
  std::set<std::string> committing_;
  std::deque<send_command> deferred_;
  std::uint64_t commits_ = 0;

  // The way out.
  std::unique_ptr<voice_output> out_;
  /// Items of responses that have begun, as this client knows.
  std::map<std::string, std::string> started_;
  /// Sound that was faster than the news of its response.
  std::deque<speech_sound> ahead_;
  /// The item whose sound is held; empty: none.
  std::string held_;
  /// The item that was dropped while it was held; the end of its response is not known yet.
  std::string paused_;
  /// The item whose sound is still being made.
  std::string open_item_;
  std::uint64_t due_ = 0;
  std::optional<time> due_at_;
};

} // namespace sidevoice
