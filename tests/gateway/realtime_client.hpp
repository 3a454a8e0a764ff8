#pragma once

#include "config/ids.hpp"
#include "gateway/protocol_realtime.hpp"
#include "persistence/rank.hpp"
#include "tests/gateway/realtime_checker.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <string>
#include <vector>

/// A codec with a session made of its events beside it: what a client sends, what it gets, and a
/// checker over all of it.
class realtime_client {
public:
  using json = nlohmann::json;

  struct setup {
    bool extensions = false;
    sidevoice::session_rights rights = {};
    std::string client_key;
    /// The node has speech engines.
    bool speaks = false;
  };

  explicit realtime_client(setup how);
  realtime_client() : realtime_client(setup{}) {}

  // -- the client's side; each returns the frames that came of it

  std::vector<json> open();
  std::vector<json> send(const json& event);
  std::vector<json> send_text(const std::string& text);

  // -- the session's side

  /// Journals events and publishes them as one batch.
  std::vector<json> publish(std::vector<sidevoice::event_body> bodies);
  /// Journals events that this client does not hear of.
  void journal(std::vector<sidevoice::event_body> bodies);
  /// Answers the newest attach.
  std::vector<json> attach(std::optional<sidevoice::open_answer> open = std::nullopt,
                           bool force_snapshot = false);
  std::vector<json> refuse_attach(const sidevoice::error& why);
  std::vector<json> delta(const std::string& response, const std::string& item, std::uint32_t n,
                          const std::string& text, std::uint32_t attempt = 1);
  std::vector<json> accept(bool repeated = false, std::uint64_t seq = 0,
                           sidevoice::stored_item_ptr found = nullptr);
  std::vector<json> refuse(const sidevoice::error& why);
  std::vector<json> lose();
  std::vector<json> notify(const sidevoice::notice& what);

  /// open, and the attach answered.
  void start();

  /// The newest command; checked to be of this type.
  template <class Command>
  const Command& command() const {
    REQUIRE(!commands.empty());
    REQUIRE(std::holds_alternative<Command>(commands.back().command));
    return std::get<Command>(commands.back().command);
  }

  /// An item.put at the end.
  sidevoice::event_body put(sidevoice::item value);

  std::vector<json> take(sidevoice::codec_actions actions);

  sidevoice::counted_ids ids;
  std::unique_ptr<sidevoice::client_codec> codec;
  sidevoice::session_view view;
  std::vector<sidevoice::event_ptr> events;
  std::string store = "store_1";
  realtime_checker checker;
  std::vector<sidevoice::send_command> commands;
  std::vector<sidevoice::attach_session> attaches;
  std::vector<sidevoice::close_socket> closes;
  std::vector<std::vector<std::string>> offers;
  /// What the connection is asked to do about sound.
  std::vector<sidevoice::codec_action> voice;
  /// All frames so far.
  std::vector<json> frames;
  std::size_t refusals = 0;

private:
  std::string last_rank_;
};

sidevoice::app_ptr moving_app();
sidevoice::item message(const std::string& id, sidevoice::item_role role, const std::string& text,
                        const std::string& response = {});
sidevoice::item call(const std::string& id, const std::string& call_id, const std::string& name,
                     const std::string& arguments, const std::string& response = {});

/// The types of frames, joined by a blank.
std::string types(const std::vector<nlohmann::json>& frames);
/// The only error among the frames.
nlohmann::json error_of(const std::vector<nlohmann::json>& frames);
