#include "actors/pulse.hpp"

#include "config/fault_point.hpp"
#include "config/log.hpp"

#include <stdexcept>
#include <thread>
#include <utility>

namespace sidevoice {

namespace {

caf::error threw(const std::string& what) {
  return to_caf({errc::unavailable, what, {}, "threw"});
}

bool is_ours(const caf::error& reason) {
  // An end without a reason has no category to ask for.
  return reason && reason.category() == caf::atom("sidevoice");
}

/// Its type and not its content, which may be what somebody said.
std::string type_of(const caf::type_erased_tuple& content) {
  if (content.empty())
    return "nothing";
  const auto* type = content.type(0).second;
  return type != nullptr ? type->name() : "number " + std::to_string(content.type(0).first);
}

/// What one actor does with messages that are in no interface. Lives in its default handler.
class odd_messages {
public:
  odd_messages(const node_parts& parts, std::string name, std::string session)
      : count_{parts.count},
        hang_{parts.figures != nullptr ? &parts.figures->hands() : nullptr},
        name_{std::move(name)},
        session_{std::move(session)} {}

  caf::result<caf::message> operator()(caf::scheduled_actor* self, caf::message_view& view) {
    auto& content = view.content();
    if (content.match_elements<caf::atom_value>()
        && content.get_as<caf::atom_value>(0) == pulse_atom::value)
      return caf::make_message(pulse_report{self->mailbox().size()});
    if (has_faults() && content.match_elements<fault_order>()) {
      obey(*self, content.get_as<fault_order>(0));
      return caf::make_message();
    }
    if (!std::exchange(told_, true))
      log(log_level::warning, "actor.odd_message",
          {{"session", session_}, {"actor", name_}, {"type", type_of(content)}});
    return caf::sec::unexpected_message;
  }

private:
  void obey(caf::scheduled_actor& self, const fault_order& fault) {
    if (count_ != nullptr)
      count_->add(counter::faults_made);
    switch (fault.kind) {
      case fault_kind::crash:
        throw std::runtime_error{"fault made on purpose: " + name_ + " crashes"};
      case fault_kind::quit:
        self.quit(
          to_caf({errc::unavailable, "fault made on purpose: " + name_ + " quits", {}, "quit"}));
        return;
      case fault_kind::hang:
        if (hang_ != nullptr && hang_->hang)
          hang_->hang(self, fault.length);
        else
          std::this_thread::sleep_for(fault.length);
        return;
    }
  }

  counters* count_;
  const fault_hands* hang_;
  std::string name_;
  std::string session_;
  bool told_ = false;
};

} // namespace

void take_pulse(caf::scheduled_actor* self, const node_parts& parts, std::string name,
                std::string session) {
  self->set_exception_handler(caf::scheduled_actor::exception_handler{
    [name, session](caf::scheduled_actor*, std::exception_ptr& thrown) -> caf::error {
      std::string what = "no std::exception";
      try {
        std::rethrow_exception(thrown);
      } catch (const std::exception& e) {
        what = e.what();
      } catch (...) {
        // Its type says nothing to anybody.
      }
      log(log_level::error, "actor.threw", {{"session", session}, {"actor", name}, {"what", what}});
      return threw(what);
    }});
  self->set_default_handler(caf::scheduled_actor::default_handler{
    odd_messages{parts, std::move(name), std::move(session)}});
}

end_reason classify(const caf::error& reason) {
  if (reason == caf::exit_reason::unhandled_exception || reason == caf::sec::runtime_error)
    return end_reason::threw;
  if (reason == caf::sec::request_timeout)
    return end_reason::deadline;
  if (reason == caf::sec::request_receiver_down || reason == caf::exit_reason::unreachable
      || reason == caf::exit_reason::remote_link_unreachable)
    return end_reason::link;
  if (!is_ours(reason))
    return end_reason::other;
  const auto why = from_caf(reason);
  return why.reason == "threw"                              ? end_reason::threw
         : why.reason == "hung" || why.reason == "deadline" ? end_reason::deadline
                                                            : end_reason::quit;
}

std::string describe(const caf::actor_system& sys, const caf::error& reason) {
  return is_ours(reason) ? from_caf(reason).detail : sys.render(reason);
}

} // namespace sidevoice
