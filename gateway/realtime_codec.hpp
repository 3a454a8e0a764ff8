#pragma once

#include "gateway/protocol_realtime.hpp"
#include "gateway/realtime_items.hpp"
#include "gateway/realtime_responses.hpp"
#include "gateway/realtime_session.hpp"
#include "gateway/realtime_wire.hpp"

#include <nlohmann/json_fwd.hpp>

#include <map>
#include <optional>
#include <set>
#include <string>

/// The Realtime protocol of one connection. Client frames: realtime_commands.cpp; answers to
/// commands: realtime_answers.cpp; where a client begins: realtime_attach.cpp; what the session
/// tells: protocol_realtime.cpp; tools and approvals: realtime_tools.cpp.
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
  codec_actions on_tool_call(const tool_call& call) override;
  codec_actions on_tool_cancelled(const tool_cancelled& call) override;
  codec_actions on_accepted(std::uint64_t token, const accepted& answer) override;
  codec_actions on_refused(std::uint64_t token, const error& why) override;
  codec_actions on_lost(std::uint64_t token) override;
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
  };

  /// What sidevoice.session.resume asked for.
  struct resume {
    std::uint64_t after = 0;
    std::string store;
    std::string event_id;
    /// The number was from the future; the store decides whether that is the client's error.
    bool refused = false;
  };

  using fault = std::optional<realtime_fault>;

  // -- client frames (realtime_commands.cpp)

  fault take(const nlohmann::json& event);
  fault on_session_update(const nlohmann::json& event);
  fault on_create(const nlohmann::json& event);
  fault on_delete(const nlohmann::json& event);
  fault on_retrieve(const nlohmann::json& event);
  fault on_truncate(const nlohmann::json& event);
  fault on_respond(const nlohmann::json& event);
  fault on_cancel(const nlohmann::json& event);
  fault on_resume(const nlohmann::json& event);
  fault on_topic_update(const nlohmann::json& event);
  fault on_topic_undo(const nlohmann::json& event);
  fault on_end(const nlohmann::json& event);
  fault on_tools_offer(const nlohmann::json& event);
  fault on_tool_output(const nlohmann::json& event);
  fault on_approval(const nlohmann::json& event);
  fault command(pending about, session_command what);
  std::string edit_id() const;

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
  void show_state();
  void show_topic(const std::string& topic, std::uint64_t seq, const std::string& edit);

  void on(const event& e, const item_put& body);
  void on(const event& e, const item_removed& body);
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
};

} // namespace sidevoice
