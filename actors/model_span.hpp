#pragma once

#include "actors/parts.hpp"
#include "actors/tracer.hpp"

#include <string>

namespace sidevoice {

/// The span of one model that is asked. Does nothing where nobody traces.
class model_span {
public:
  /// Below the span that `parent` names. Gives what goes along with the request; empty: nothing.
  std::string begin(const node_parts& parts, const std::string& parent, const model_choice& choice,
                    const llm_request& request, const std::string& session);
  /// Something of the answer has come; counts the first time.
  void on_piece();
  void finished(const token_usage& usage, const std::string& reason);
  void failed(const error& why);
  /// Nobody wants the answer any more.
  void left();

private:
  live_span span_;
  bool has_begun_ = false;
};

} // namespace sidevoice
