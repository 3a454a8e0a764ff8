#pragma once

#include "config/ids.hpp"
#include "providers/llm.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sidevoice {

/// Reads the answer of a Chat Completions endpoint, chunk by chunk, and says it as llm_events.
/// Pure, and lenient: compatible servers differ in nearly everything (see the tests' table).
///
/// Texts are whole UTF-8 without NUL. Calls come when the answer's finish has been read, each with
/// an id that is unique in the conversation. After one llm_done or llm_failed nothing comes any
/// more.
class chat_stream {
public:
  struct options {
    /// What the prompt costs where the server does not say it.
    std::uint64_t input_tokens_estimate = 0;
    /// Call ids of the history: servers that count from 0 in each answer get other ones.
    std::set<std::string> taken_ids = {};
    /// For vendor_error().
    std::string vendor = "the vendor";
    std::string secret = {};
    std::size_t text_bytes_max = 256 << 10;
    std::size_t calls_max = 32;
    std::size_t arguments_bytes_max = 64 << 10;
  };

  chat_stream(id_source& ids, options limits) : ids_(ids), options_(std::move(limits)) {}

  /// The data of one event: a chunk, a whole answer, or "[DONE]".
  /// llm_failed reasons: "too_large", "bad_answer", and those of vendor_error().
  std::vector<llm_event> take(std::string_view data);

  /// The last event of a stream that broke off: taken only where it is whole.
  std::vector<llm_event> take_last(std::string_view data);

  /// The stream has ended. llm_failed, reason "cut", where the answer had not finished.
  std::vector<llm_event> end();

  /// An answer that came whole, as JSON without a stream.
  std::vector<llm_event> take_whole(std::string_view body);

  /// The finish has been read: only the usage may follow.
  [[nodiscard]] bool has_finish() const {
    return !finish_.empty();
  }

  /// llm_done or llm_failed has been said.
  [[nodiscard]] bool is_over() const {
    return is_over_;
  }

private:
  using events = std::vector<llm_event>;

  struct call_parts {
    /// The server's index; -1 where it gave none.
    std::int64_t index = -1;
    std::string id;
    std::string name;
    std::string arguments;
  };

  void take_value(const nlohmann::json& value, events& out);
  void take_fault(const nlohmann::json& fault, events& out);
  void take_choice(const nlohmann::json& choice, events& out);
  void take_delta(const nlohmann::json& delta, events& out);
  void take_content(const nlohmann::json& content, events& out);
  void take_call(const nlohmann::json& piece, events& out);
  void take_function(call_parts& call, const nlohmann::json& function, events& out);
  void take_finish(const std::string& reason, events& out);
  void take_usage(const nlohmann::json& usage);
  void say(std::string text, events& out);
  void say_calls(events& out);
  void say_done(events& out);
  void fail(error why, events& out);
  call_parts* slot_of(const nlohmann::json& piece, const std::string& id, const std::string& name);
  std::string unique_id(const std::string& given);

  id_source& ids_;
  options options_;
  std::vector<call_parts> calls_;
  std::string finish_;
  std::size_t text_bytes_ = 0;
  std::uint64_t pieces_ = 0;
  llm_done usage_;
  bool has_usage_ = false;
  bool has_said_ = false;
  bool is_over_ = false;
};

} // namespace sidevoice
