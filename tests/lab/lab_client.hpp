#pragma once

#include "gateway/connection.hpp"
#include "tests/lab/dice.hpp"
#include "tests/lab/lab_microphone.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sidevoice::lab {

/// Called with a sentence when a client sees what must not happen.
using report_violation = std::function<void(const std::string&)>;

/// What a client believes of its session, built from frames alone.
struct client_view {
  struct entry {
    std::string role;
    std::string text;
    std::string status;
    /// What the journal has may be less: a plain client is not told what others heard.
    bool may_be_cut = false;
  };
  /// In the client's order, by previous_item_id.
  std::vector<std::string> order;
  std::map<std::string, entry> items;
  std::map<std::string, nlohmann::json> topics;
  std::uint64_t revision = 0;
  std::uint64_t last_seq = 0;
};

/// A scripted client on a real connection actor and a real codec. Speaks the Realtime protocol,
/// with the sidevoice extension or as a plain one; keeps what is unacknowledged and sends it again
/// after a break, as our own client does; checks every frame against the protocol's order.
class lab_client {
public:
  lab_client(std::string name, bool extensions, report_violation report);
  ~lab_client();

  /// The way out of a new connection. The old one is dead from now on.
  std::shared_ptr<client_link> new_link();
  void connected(connection_actor connection);
  void disconnect();

  [[nodiscard]] bool is_connected() const {
    return static_cast<bool>(connection_);
  }
  [[nodiscard]] bool has_extensions() const {
    return extensions_;
  }
  [[nodiscard]] const std::string& name() const {
    return name_;
  }

  /// Does one thing a person or a program might do.
  void act(dice& chance);

  /// True once everything it asked for has been answered.
  [[nodiscard]] bool is_settled() const {
    return unanswered_.empty();
  }

  [[nodiscard]] const client_view& view() const {
    return view_;
  }
  /// Items it sent and saw acknowledged with a durable number.
  [[nodiscard]] const std::set<std::string>& acknowledged() const {
    return acknowledged_;
  }
  /// Items that it sent once and was told are not stored. Of one that was sent again on another
  /// line, the older copy may still arrive.
  [[nodiscard]] const std::set<std::string>& refused() const {
    return refused_;
  }
  /// Of the acknowledged, the ones that asked for an answer.
  [[nodiscard]] const std::set<std::string>& wants_answer() const {
    return wants_answer_;
  }
  /// Distinct durable numbers, in the order they came.
  [[nodiscard]] const std::vector<std::uint64_t>& numbers() const {
    return numbers_;
  }
  /// Frames that it got.
  [[nodiscard]] std::uint64_t frames() const {
    return frames_;
  }
  /// Its items without those of running answers.
  [[nodiscard]] std::vector<std::string> durable_order() const;

  /// Prints every frame; for a seed that is looked at.
  static inline bool show_frames = false;

  /// Gives it a microphone. `next_sentence` counts what all of them have said.
  void give_microphone(std::uint64_t& next_sentence);
  [[nodiscard]] lab_microphone* microphone() {
    return mic_.get();
  }

  /// With a microphone: of what it does, so many in a hundred are said.
  std::uint64_t talks_percent = 50;
  /// What it says are values of topics, and it leaves the checklist alone.
  bool states_topics = false;

  /// Called for the first piece of each response: its journal entry must be durable by then.
  std::function<void(const std::string& response)> on_first_piece;

private:
  class link;

  void on_frame(const std::string& text);
  void on_number(std::uint64_t seq, bool more);
  void on_error(const nlohmann::json& error);
  void on_item(const nlohmann::json& event);
  void on_response(const nlohmann::json& event, const std::string& type);
  void on_extension(const nlohmann::json& event, const std::string& type);
  void send(const nlohmann::json& event);
  void send_input(dice& chance);
  void send_edit(dice& chance);
  void answer_calls(dice& chance);
  void start_over();
  std::string fresh(const char* prefix);

  std::unique_ptr<lab_microphone> mic_;
  std::uint64_t* next_sentence_ = nullptr;
  std::string name_;
  bool extensions_;
  report_violation report_;
  std::shared_ptr<link> link_;
  connection_actor connection_;
  client_view view_;
  std::string store_;
  /// Frames without an answer, by item id or event id.
  std::map<std::string, nlohmann::json> unanswered_;
  std::set<std::string> acknowledged_;
  std::set<std::string> refused_;
  std::set<std::string> resent_;
  std::set<std::string> wants_answer_;
  std::vector<std::uint64_t> numbers_;
  /// Text of the pieces per open response item.
  std::map<std::string, std::string> streamed_;
  /// Items of running answers: not in the journal yet.
  std::set<std::string> unnumbered_;
  /// Items whose final text is shorter than what was streamed.
  std::set<std::string> cut_;
  /// Calls that it is to run or to agree to; answered when it feels like it.
  std::set<std::string> asked_to_run_;
  std::set<std::string> asked_to_agree_;
  std::set<std::string> own_calls_;
  std::set<std::string> open_responses_;
  std::set<std::string> closed_responses_;
  std::uint64_t next_ = 0;
  std::uint64_t frames_ = 0;
};

} // namespace sidevoice::lab
