#pragma once

#include "providers/fake/script.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sidevoice {

/// What a script can look at, taken from a good chat request.
struct chat_facts {
  std::string model;
  bool stream = false;
  bool include_usage = false;
  std::string last_role;
  /// Text of the newest user message; its text parts joined with a blank.
  std::string last_user;
  /// Text of the newest tool message.
  std::string tool_output;
  /// All system and developer messages, one a line.
  std::string system;
  std::vector<std::string> tools;
  /// Of the function that `tool_choice` forces; empty: none.
  std::string forced_tool;
  /// JSON texts; empty: none.
  std::string forced_schema;
  std::string answer_schema;
  bool json_answer = false;
  /// A rough count: a token is four bytes of text.
  std::uint64_t prompt_tokens = 0;
};

/// The value of a body; `discarded` where it is no JSON in UTF-8, or nested too deep.
nlohmann::json parse_chat(const std::string& text);

/// `body` has passed `check_chat`.
chat_facts facts_of(const nlohmann::json& body);

/// Whether the rule speaks of this request; `call` is its number.
bool matches(const fake_match& match, const chat_facts& facts, std::uint64_t call);

/// The smallest value that fits a JSON Schema: required properties only, the first of an `enum`,
/// minimums where there are some. JSON text.
std::string smallest_value(const std::string& schema);

/// The number of tokens that a text counts as.
std::uint64_t rough_tokens(std::size_t bytes);

} // namespace sidevoice
