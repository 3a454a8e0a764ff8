#pragma once

#include <nlohmann/json.hpp>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

/// Checks every event that a codec sends against the protocol: required fields and their types, the
/// order of a response, one done for each created and nothing after it. Without a test framework,
/// so that fuzzers use it too.
class realtime_checker {
public:
  explicit realtime_checker(bool extensions = false) : extensions_(extensions) {}

  /// Takes the next event; afterwards `faults` names what is wrong with it.
  void take(const nlohmann::json& event);

  /// What is wrong so far, a sentence each.
  std::vector<std::string> faults;
  /// Text of each item as deltas have it.
  std::map<std::string, std::string> streamed;
  /// Pieces of sound that each item got.
  std::map<std::string, std::size_t> sounded;
  /// Responses created and not done.
  std::set<std::string> running;

private:
  struct open_item {
    std::string response;
    std::size_t index = 0;
    bool is_call = false;
    /// As its content_part.added said.
    bool is_audio = false;
    bool sound_done = false;
    bool in_conversation = false;
    bool has_part = false;
    std::string joined;
    std::optional<std::string> text_done;
    bool part_done = false;
    bool conversation_done = false;
  };

  void fail(const nlohmann::json& event, const std::string& what);
  void check_fields(const nlohmann::json& event);
  void check_item(const nlohmann::json& event, const nlohmann::json& item);
  void check_response(const nlohmann::json& event);
  void check_part(const nlohmann::json& event);
  void check_delta(const nlohmann::json& event, open_item& open);
  void check_text_done(const nlohmann::json& event, open_item& open);
  void check_output_item(const nlohmann::json& event);
  void check_conversation_item(const nlohmann::json& event);

  bool extensions_;
  std::set<std::string> event_ids_;
  std::set<std::string> closed_;
  std::map<std::string, open_item> items_;
  /// Items that each response has finished, in their order.
  std::map<std::string, std::map<std::size_t, nlohmann::json>> outputs_;
  std::map<std::string, std::size_t> announced_;
};
