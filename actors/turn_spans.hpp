#pragma once

#include "actors/tracer.hpp"
#include "persistence/fold.hpp"

#include <map>
#include <string>

namespace sidevoice {

/// The spans of one session's turns and calls, from its durable events. The ids are made from those
/// of session, response and call: whoever carries on after a crash carries on the same trace, and
/// nothing of it is kept in the journal. An answer that was caused by the outputs of calls, or that
/// carries on a lost one, is a span below the one before it, in the same trace. Belongs to one
/// session actor.
class turn_spans {
public:
  turn_spans(tracer& to, std::string app, std::string session)
      : to_(to),
        app_(std::move(app)),
        session_(std::move(session)) {}

  /// What is open in a journal that was just read is open from now on.
  void take_over(const session_view& view);

  /// `view` has the event in it.
  void on(const event& e, const session_view& view);

  /// What goes along with the run of a response, and with a call.
  [[nodiscard]] std::string of_turn(const session_view& view, const response_state& turn) const;
  [[nodiscard]] std::string of_call(const session_view& view, const call_state& call) const;

private:
  struct place {
    trace_context self;
    std::string parent;
  };
  [[nodiscard]] place place_of(const session_view& view, const std::string& response,
                               const std::vector<std::string>& cause) const;
  [[nodiscard]] place place_of(const session_view& view, const call_opened& call,
                               std::uint32_t attempt) const;
  /// The response whose outputs or remainder caused this one; empty: none.
  [[nodiscard]] static std::string before(const session_view& view, const std::string& response,
                                          const std::vector<std::string>& cause);
  live_span& open_turn(const session_view& view, const std::string& response,
                       const std::vector<std::string>& cause);
  live_span& open_call(const session_view& view, const call_opened& call, std::uint32_t attempt);
  void end_call(const call_ended& ended, const session_view& view);
  void set_common(live_span& span) const;
  void end_turn(const response_done& done, const session_view& view);
  void add_silence(const turn_measured& turn, const session_view& view);

  tracer& to_;
  std::string app_;
  std::string session_;
  std::map<std::string, live_span> turns_;
  std::map<std::string, live_span> calls_;
  /// Calls that have no end yet.
  std::map<std::string, call_opened> opened_;
};

} // namespace sidevoice
