#pragma once

#include "providers/fake/reply.hpp"

#include <string>
#include <vector>

namespace sidevoice {

/// One event of a stream.
struct reply_event {
  enum class kind { lead, piece, finish, tail };

  kind what = kind::lead;
  /// JSON text, or "[DONE]".
  std::string data;
};

/// The events of a complete stream: leads, pieces, one finish, tails.
std::vector<reply_event> completion_events(const fake_reply& reply, const reply_context& context);

/// The JSON text of an answer that is not streamed.
std::string whole_completion(const fake_reply& reply, const reply_context& context);

} // namespace sidevoice
