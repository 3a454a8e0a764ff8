#pragma once

#include "gateway/realtime_items.hpp"
#include "gateway/realtime_session.hpp"
#include "gateway/voice_output.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// The order of a response's events as one client sees it: created, its items with their deltas and
/// dones, done; exactly one done for each created, and nothing of the response after it.
namespace sidevoice {

class realtime_responses {
public:
  /// Both outlive this object.
  realtime_responses(realtime_writer& out, item_order& order, const realtime_session& session,
                     std::string conversation, std::function<bool(const item&)> hidden);

  /// This connection asks for `response` with these overrides.
  void expect(const std::string& response, response_echo echo);
  void forget(const std::string& response);

  /// A response that has not begun: this client will see it from its beginning.
  void requested(const std::string& response);

  /// A run begins. A new attempt makes the former one's open item void: it is finished as
  /// incomplete and deleted. `rank` is the place of its item; empty: behind what is there.
  /// `speaks`: this connection hears its sound; a response that has begun as sound, or as text,
  /// stays it.
  void started(const response_started& run, bool speaks, const std::string& rank);

  /// Pieces of closed, superseded and unknown responses are dropped.
  void delta(const answer_delta& piece);

  /// Sound of a response that this client hears. False: closed, superseded, or shown as text.
  bool sound(const sound_frame& frame, sound_encoding encoding);

  /// What was missed of the running answer, as one delta.
  void catch_up(const open_answer& open);

  /// An item that a response made, already in the order. False when this client does not see that
  /// response: the item is to be shown as any other.
  bool put(const item& value);

  /// The end. A response that this client has not seen is left out, except by connections with
  /// extensions: they are told of every one.
  void done(const response_done& end);

  /// What a session that was away has decided about the responses this client has open.
  void reconcile(const session_view& view);

  [[nodiscard]] bool knows(const std::string& response) const {
    return open_.count(response) != 0;
  }

  /// The message that is being made, as far as this client has seen it; null for other ids.
  [[nodiscard]] nlohmann::json open_item(const std::string& id) const;
  /// The message that is being made comes as sound.
  [[nodiscard]] bool is_open_sound(const std::string& id) const;

private:
  /// The message item that is being made.
  struct open_message_part {
    std::string id;
    std::size_t index = 0;
    /// Its content is sound with a transcript, not text.
    bool audio = false;
    /// What its sound is written in: as the session was when the first of it came.
    std::optional<sound_encoding> encoding = {};
    std::string text = {};
    /// Pieces seen; a piece that does not follow stops the stream, and `put` sends the rest.
    std::uint32_t n = 0;
    bool broken = false;
  };

  struct open_response {
    std::string id;
    bool created = false;
    bool audio = false;
    std::uint32_t attempt = 1;
    /// Id that the message of this attempt will have.
    std::string item;
    std::optional<open_message_part> message;
    /// Items so far as JSON, by output index; the open one has its place.
    std::vector<json_text> output;
    response_echo echo;
  };

  static bool has_shown(const open_response& r, const std::string& item_id);
  open_response* find(const std::string& response);
  open_response& find_or_add(const std::string& response);
  void create(open_response& r);
  void open(open_response& r, const std::string& item_id);
  void send_delta(open_response& r, const std::string& text, std::uint32_t n, bool so_far);
  void finish_message(open_response& r, const item& value);
  void abandon_message(open_response& r);
  void put_message(open_response& r, const item& value);
  void put_call(open_response& r, const item& value);
  void item_event(const char* type, const nlohmann::json& value);
  [[nodiscard]] nlohmann::json response_json(const open_response& r, const std::string& status,
                                             const response_done* end) const;

  realtime_writer& out_;
  item_order& order_;
  const realtime_session& session_;
  /// Items of responses that this client does not see.
  std::function<bool(const item&)> hidden_;
  std::string conversation_;
  std::map<std::string, open_response> open_;
};

} // namespace sidevoice
