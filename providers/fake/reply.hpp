#pragma once

#include "providers/fake/script.hpp"
#include "providers/fake/wire.hpp"

#include <cstdint>
#include <string>

namespace sidevoice {

/// What of an answer belongs to its request.
struct reply_context {
  std::string id;
  std::string model;
  std::int64_t created = 0;
  bool stream = false;
  bool include_usage = false;
  bool azure = false;
  std::uint64_t prompt_tokens = 0;
  /// Jitter follows from it.
  std::uint64_t seed = 0;
};

/// The bytes of an answer and when they go out. Variables are filled in, calls have ids.
fake_answer compose_reply(const fake_reply& reply, const reply_context& context);

/// An error as a whole answer, at once.
fake_answer error_answer(fake_error error);

/// A JSON text as a whole answer, at once.
fake_answer json_answer(unsigned status, std::string body);

/// The error's JSON object: {"error": {...}}. What is left out belongs to the status.
std::string error_json(fake_error error);

/// Text as a model's stream cuts it: words with the blank before them, or `chars` code points.
/// Nothing for an empty text.
std::vector<std::string> pieces_of(const std::string& text, std::size_t chars);

/// Cuts at odd places: after each CR, and inside each character of more than one byte.
std::vector<std::string> split_oddly(const std::string& bytes);

} // namespace sidevoice
