#pragma once

#include "gateway/connection_voice.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

/// Inside of one connection. The client's side: connection.cpp; the session's side, which outlives
/// restarts of the session: connection_session.cpp; its sound: connection_voice.hpp.
namespace sidevoice {

/// Owned by one connection actor; touched only inside its handlers.
class connection_state {
public:
  static inline const char* name = "connection";

  explicit connection_state(connection_inner::pointer self);
  ~connection_state();
  connection_state(const connection_state&) = delete;
  connection_state& operator=(const connection_state&) = delete;

  void start(connection_parts_ptr parts);
  [[nodiscard]] bool is_open() const {
    return parts_ != nullptr;
  }

  void on_frame(const client_frame& frame);
  void on_gone();
  void on_published(const published& batch);
  void on_delta(const answer_delta& delta);
  void on_notice(const notice& what);
  void on_move(const move_away& where);
  void on_leave(const leave_server& how);
  void on_tool_call(const tool_call& call);
  void on_tool_cancelled(const tool_cancelled& call);
  void on_search_again(const search_again& again);
  void on_search_over(const search_over& over);
  [[nodiscard]] connection_voice& voice() {
    return *voice_;
  }

private:
  /// A command that the session has not answered.
  struct unanswered {
    std::uint64_t token = 0;
    session_command command;
    /// How often it was sent.
    std::uint32_t tries = 0;
  };

  void count(counter which);

  void on_begin();
  void perform(codec_actions actions);
  void act(send_frame& frame);
  void act(const close_socket& how);
  void act(const attach_session& how);
  void act(send_command& what);
  void act(const offer_names& offer);
  void act(const set_voice& how);
  void act(const ask_seat& wish);
  void act(const give_seat& wish);
  void act(sound_in& in);
  void act(const commit_sound& wish);
  void act(const clear_sound& wish);
  void act(const client_played& report);
  void act(const truncate_item& wish);
  void send_offer();
  /// Ends the socket, then the actor has nothing left to do.
  void close(std::uint16_t code, const std::string& reason);
  /// The socket has ended by itself. The state dies with the actor.
  void finish();

  void attach_now();
  void on_attached(std::uint64_t run, const attached& state);
  void on_attach_error(std::uint64_t run, const caf::error& why);

  void send(unanswered& entry);
  [[nodiscard]] std::deque<unanswered>::iterator find(std::uint64_t token);
  void on_accepted(std::uint64_t token, const accepted& answer);
  void on_error(std::uint64_t token, std::uint32_t tries, const caf::error& why);

  void on_down(const caf::down_msg& down);
  /// The session gave no answer but an end; its down message may still be on its way.
  void lose_session();
  /// Asks the directory until the session is attached again, or the time is over. With `pause`,
  /// not at once: whoever starts it again needs a moment.
  void search(bool pause);
  void ask_later();
  void ask_directory();
  void on_found(const session_actor& found);

  connection_inner::pointer self_;
  /// Null once the connection has ended.
  connection_parts_ptr parts_;
  find_session where_;
  session_actor session_;
  /// How the codec wants to be attached; nothing before it asked.
  std::optional<attach_session> wanted_;
  bool was_attached_ = false;
  bool attached_ = false;
  /// Tools that this client runs; unset: it has never said.
  std::optional<std::vector<std::string>> offers_;
  /// Answers to older requests to attach are void.
  std::uint64_t attach_run_ = 0;
  /// In the order of the codec.
  std::deque<unanswered> unanswered_;
  /// From the loss of the session until it is attached again.
  bool searching_ = false;
  /// The directory is being asked, or will be after a pause.
  bool asking_ = false;
  std::uint64_t search_ = 0;
  std::chrono::milliseconds backoff_{};
  /// From the start to the end of the actor.
  std::unique_ptr<connection_voice> voice_;
};

} // namespace sidevoice
