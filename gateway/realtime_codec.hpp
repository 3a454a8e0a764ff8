#pragma once

#include "gateway/protocol_realtime.hpp"
#include "gateway/realtime_items.hpp"
#include "gateway/realtime_responses.hpp"
#include "gateway/realtime_session.hpp"
#include "gateway/realtime_wire.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <deque>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

/// The Realtime protocol of one connection. Client frames: realtime_commands.cpp; answers to
/// commands: realtime_answers.cpp; where a client begins: realtime_attach.cpp; what the session
/// tells: protocol_realtime.cpp; tools and approvals: realtime_tools.cpp; sound from the client:
/// realtime_audio.cpp; what the session and the voice tell of it: realtime_speech.cpp.
namespace sidevoice {

class realtime_codec final : public client_codec {
public:
  explicit realtime_codec(realtime_options options);

  codec_actions on_open() override;
  codec_actions on_frame(std::string_view text) override;
  codec_actions on_binary() override;
  codec_actions on_attached(const attached& state) override;
  codec_actions on_attach_refused(const error& why) override;
  codec_actions on_published(const published& batch) override;
  codec_actions on_delta(const answer_delta& delta) override;
  codec_actions on_notice(const notice& what) override;
  codec_actions on_move(const move_away& where) override;
  codec_actions on_tool_call(const tool_call& call) override;
  codec_actions on_tool_cancelled(const tool_cancelled& call) override;
  codec_actions on_accepted(std::uint64_t token, const accepted& answer) override;
  codec_actions on_refused(std::uint64_t token, const error& why) override;
  codec_actions on_lost(std::uint64_t token) override;
  codec_actions on_seat(const std::string& state, const error& why) override;
  codec_actions on_speech(const speech_edge& edge) override;
  codec_actions on_commit_refused(const std::string& event_id) override;
  codec_actions on_cleared() override;
  codec_actions on_sound(const sound_frame& frame) override;
  codec_actions on_held(const std::string& item, bool held) override;
  codec_actions on_live_words(const live_words& words) override;
  codec_actions on_turn_over(const turn_over& turn) override;
  codec_actions on_acknowledged(const std::string& stream, std::uint64_t to_ms) override;
  codec_actions on_probe(const speech_probe& probe) override;
  [[nodiscard]] std::uint64_t last_seq() const override {
    return last_seq_;
  }

private:
  enum class ask {
    create,
    echo,
    remove,
    retrieve,
    respond,
    cancel,
    edit,
    undo,
    tool_output,
    approval,
    truncate,
    end
  };

  /// A command that has no answer yet.
  struct pending {
    ask what = ask::create;
    /// The client's event, for errors.
    std::string event_id = {};
    /// Item, topic or edit it is about.
    std::string subject = {};
    std::string response = {};
    /// Its event has been shown already: nothing more is to be said.
    bool shown = false;
    /// Of a truncation: where the client wants the end to be.
    std::uint64_t ms = 0;
  };

  /// What sidevoice.session.resume asked for.
  struct resume {
    std::uint64_t after = 0;
    std::string store;
    std::string event_id;
  };

  using fault = std::optional<realtime_fault>;

  // -- client frames (realtime_commands.cpp)

  fault take(const nlohmann::json& event, std::string_view frame);
  fault on_session_update(const nlohmann::json& event);
  fault on_create(const nlohmann::json& event);
  fault on_delete(const nlohmann::json& event);
  fault on_retrieve(const nlohmann::json& event);
  fault on_respond(const nlohmann::json& event);
  fault on_cancel(const nlohmann::json& event);
  fault on_resume(const nlohmann::json& event);
  fault on_topic_update(const nlohmann::json& event);
  fault on_topic_undo(const nlohmann::json& event);
  fault on_end(const nlohmann::json& event);
  fault on_tools_offer(const nlohmann::json& event);
  fault on_tool_output(const nlohmann::json& event);
  fault on_approval(const nlohmann::json& event);
  fault run(const nlohmann::json& event, fault (realtime_codec::*handler)(const nlohmann::json&),
            std::initializer_list<std::string_view> fields);
  /// A token for what is to be answered.
  fault expect(pending about, std::uint64_t& token);
  fault command(pending about, session_command what);
  std::string edit_id() const;

  // -- sound from the client (realtime_audio.cpp)

  /// False: this event is not about sound.
  bool take_sound(const std::string& type, const nlohmann::json& event, fault& wrong);
  fault on_append(const nlohmann::json& event);
  fault on_commit(const nlohmann::json& event);
  fault on_clear(const nlohmann::json& event);
  fault on_truncate(const nlohmann::json& event);
  fault on_replay(const nlohmann::json& event);
  fault on_playback(const nlohmann::json& event);
  fault on_watch(const nlohmann::json& event);
  /// The seat is held or asked for.
  [[nodiscard]] bool is_seated() const {
    return seat_ == "yours" || seat_ == "asked";
  }
  /// How this client talks, where the connection does not know it yet.
  void tell_voice();
  /// Plain clients never ask for the seat: they just talk, or want to hear.
  void seat_plain();
  void on_modalities(const nlohmann::json& session);
  void show_seat(const std::string& state, const error& why);

  // -- speech (realtime_speech.cpp)

  /// What the state shows of the past: spoken items, and words that are still to come.
  void learn(const session_view& view);
  void remember_spoken(const std::string& id, const std::string& text);
  void show_words(const std::string& item, const input_transcribed& words);
  /// Words that a break has swallowed.
  void show_missed_words(const session_view& view);
  void say_words(const std::string& item, const std::string& text);

  // -- where a client begins, and what the session tells

  void attach_fresh();
  void attached_first(const attached& state);
  void attached_again(const attached& state);
  void show_snapshot(const session_view& view);
  void show_events(const attached& state, std::uint64_t after);
  void show_open(const attached& state);
  void sync_items(const session_view& view);
  void replay();
  void take_event(const event& e);
  /// Makes an event where it has changed.
  void show_state();
  void show_topic(const std::string& topic, std::uint64_t seq, const std::string& edit);

  void on(const event& e, const item_put& body);
  void on(const event& e, const item_removed& body);
  void on(const event& e, const input_speech& body);
  void on(const event& e, const input_transcribed& body);
  void on(const event& e, const item_heard& body);
  void on(const event& e, const turn_measured& body);
  void on(const event& e, const response_requested& body);
  void on(const event& e, const response_started& body);
  void on(const event& e, const response_done& body);
  void on(const event& e, const topic_updated& body);
  void on(const event& e, const session_completed& body);
  void on(const event& e, const session_reopened& body);
  void on(const event& e, const session_ended& body);
  void on(const event& e, const call_opened& body);
  void on(const event& e, const call_approved& body);
  void on(const event& e, const call_ended& body);
  /// Events that make no frame.
  template <class Body>
  void on(const event&, const Body&) {}

  [[nodiscard]] nlohmann::json item_json(const item& value) const;
  void item_events(const item& value, bool is_new);

  // -- tools (realtime_tools.cpp)

  [[nodiscard]] bool is_hidden(const item& value);
  void remember_tools(const response_options& options);
  [[nodiscard]] fault check_own_names(const nlohmann::json& session, const char* path) const;
  void ask_approval(const call_opened& call);
  void show_approvals(const session_view& view);

  // -- answers to commands (realtime_answers.cpp)

  void accepted_repeat(const pending& about, const accepted& answer);
  void reject_edit(const pending& about, const error& why);
  [[nodiscard]] realtime_fault fault_of(const pending& about, const error& why) const;

  realtime_options options_;
  realtime_writer out_;
  realtime_session session_;
  item_order order_;
  realtime_responses responses_;

  bool asked_to_attach_ = false;
  bool attached_ = false;
  bool was_attached_ = false;
  std::uint64_t last_seq_ = 0;
  std::string store_;
  std::optional<resume> resume_;

  /// Names of the tools that this connection has ever brought along.
  std::set<std::string> brought_;
  /// Calls that a plain client does not see.
  std::set<std::string> hidden_calls_;
  /// Calls that wait for the visitor, of connections with extensions.
  std::set<std::string> approvals_;

  /// Items to show after the first session.updated of a plain client; null: none (any more).
  view_ptr replay_;
  std::set<std::string> removed_before_replay_;
  bool updated_ = false;

  /// event_id of the frame that is being taken.
  std::string event_id_;
  std::uint64_t next_token_ = 1;
  std::map<std::uint64_t, pending> pending_;

  // Connections with extensions only.
  std::map<std::string, topic_state_ptr> topics_;
  /// Responses requested and not done: what makes the state "thinking".
  std::set<std::string> thinking_;
  std::string state_ = "ready";
  bool ended_ = false;

  // Voice.
  /// As the clients' event has it, and "asked" before there is an answer.
  std::string seat_ = "free";
  std::string stream_;
  /// What the connection was told last of how this client talks.
  std::string voice_told_;
  bool watch_ = false;
  /// A plain client sends sound in vain, and has been told.
  bool sound_sent_ = false;
  bool told_unavailable_ = false;
  /// The utterance whose beginning the client knows.
  std::string speaking_visitor_;
  /// The item whose sound goes out, and its response.
  std::string speaking_item_;
  std::string speaking_response_;
  /// Spoken items whose words are not known yet, with their length.
  std::map<std::string, std::uint64_t> wordless_;
  /// Words of utterances that were sent as deltas.
  std::map<std::string, std::string> live_;
  /// Items of the assistant that can be truncated, and what the newest of them said.
  std::set<std::string> spoken_;
  std::deque<std::pair<std::string, std::string>> spoken_texts_;
};

} // namespace sidevoice
