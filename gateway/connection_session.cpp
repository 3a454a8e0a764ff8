#include "gateway/connection_state.hpp"

#include <algorithm>
#include <utility>

/// A connection's way to its session: attached, lost, found again.
namespace sidevoice {

namespace {

constexpr std::chrono::seconds command_deadline{10};
constexpr std::chrono::seconds search_deadline{15};
constexpr std::chrono::milliseconds first_backoff{50};
constexpr std::chrono::milliseconds longest_backoff{1600};
/// A command that was under way in this many losses of the session is given up.
constexpr std::uint32_t tries_max = 6;

/// True for errors of the way to the session, not of the session: what came of it is unknown.
bool is_broken(const caf::error& e) {
  return e.category() == caf::atom("system") && e != caf::sec::request_timeout;
}

} // namespace

void connection_state::attach_now() {
  const auto run = ++attach_run_;
  self_
    ->request(session_, command_deadline,
              attach{listener_actor{connection_inner{self_}}, wanted_->after, wanted_->snapshot,
                     true})
    .then([this, run](const attached& state) { on_attached(run, state); },
          [this, run](const caf::error& why) { on_attach_error(run, why); });
}

void connection_state::on_attached(std::uint64_t run, const attached& state) {
  if (!parts_ || run != attach_run_)
    return;
  searching_ = false;
  was_attached_ = true;
  attached_ = true;
  // It exists from now on: were it gone, a new and empty one would be no help.
  where_.create = false;
  perform(parts_->codec->on_attached(state));
  if (offers_ && parts_)
    send_offer();
  voice_->on_attached(session_, state);
}

void connection_state::send_offer() {
  self_->send(session_, offer_tools{listener_actor{connection_inner{self_}}, *offers_});
}

void connection_state::on_attach_error(std::uint64_t run, const caf::error& why) {
  if (!parts_ || run != attach_run_)
    return;
  if (is_broken(why))
    return lose_session();
  searching_ = false;
  perform(parts_->codec->on_attach_refused(from_caf(why)));
}

void connection_state::send(unanswered& entry) {
  ++entry.tries;
  std::visit(
    [&](const auto& command) {
      self_->request(session_, command_deadline, command)
        .then([this, token = entry.token](const accepted& answer) { on_accepted(token, answer); },
              [this, token = entry.token, tries = entry.tries](const caf::error& why) {
                on_error(token, tries, why);
              });
    },
    entry.command);
}

std::deque<connection_state::unanswered>::iterator connection_state::find(std::uint64_t token) {
  return std::find_if(unanswered_.begin(), unanswered_.end(),
                      [&](const unanswered& u) { return u.token == token; });
}

void connection_state::on_accepted(std::uint64_t token, const accepted& answer) {
  const auto entry = find(token);
  if (!parts_ || entry == unanswered_.end())
    return;
  unanswered_.erase(entry);
  perform(parts_->codec->on_accepted(token, answer));
}

void connection_state::on_error(std::uint64_t token, std::uint32_t tries, const caf::error& why) {
  const auto entry = find(token);
  if (!parts_ || entry == unanswered_.end() || entry->tries != tries)
    return;
  // It stays: it goes out again, in its order, once the session is back.
  if (is_broken(why) && tries < tries_max)
    return lose_session();
  unanswered_.erase(entry);
  if (is_broken(why) || why == caf::sec::request_timeout) {
    count(counter::deadlines_passed);
    perform(parts_->codec->on_lost(token));
  } else {
    perform(parts_->codec->on_refused(token, from_caf(why)));
  }
}

void connection_state::on_down(const caf::down_msg& down) {
  if (!parts_ || !session_ || down.source != session_.address())
    return;
  session_ = nullptr;
  ++attach_run_;
  voice_->on_session_lost();
  // A session that has gone to sleep is looked for when it is needed.
  if (down.reason != caf::exit_reason::normal || searching_)
    search(true);
  else if (!unanswered_.empty() || voice_->wants_seat() || (wanted_ && !attached_))
    search(false);
}

void connection_state::lose_session() {
  if (session_) {
    self_->demonitor(session_.address());
    session_ = nullptr;
    ++attach_run_;
    voice_->on_session_lost();
  }
  search(true);
}

void connection_state::search(bool pause) {
  attached_ = false;
  if (!std::exchange(searching_, true)) {
    ++search_;
    backoff_ = first_backoff;
    self_->delayed_send(self_, search_deadline, search_over{search_});
  }
  if (std::exchange(asking_, true))
    return;
  if (pause)
    ask_later();
  else
    ask_directory();
}

void connection_state::ask_later() {
  self_->delayed_send(self_, backoff_, search_again{search_});
  backoff_ = std::min(backoff_ * 2, longest_backoff);
}

void connection_state::ask_directory() {
  self_->request(parts_->directory, command_deadline, where_)
    .then(
      [this](const session_actor& found) {
        if (parts_ && searching_)
          on_found(found);
      },
      [this](const caf::error& why) {
        if (!parts_ || !searching_)
          return;
        const auto fault = from_caf(why);
        if (fault.code != errc::damaged)
          return ask_later();
        // It stays as it is until an operator acts.
        searching_ = false;
        perform(parts_->codec->on_attach_refused(fault));
      });
}

void connection_state::on_search_again(const search_again& again) {
  if (searching_ && asking_ && again.search == search_)
    ask_directory();
}

void connection_state::on_search_over(const search_over& over) {
  if (!searching_ || over.search != search_)
    return;
  count(counter::deadlines_passed);
  close(1012, "the session is away; come back in a moment");
  self_->quit(caf::exit_reason::normal);
}

void connection_state::on_found(const session_actor& found) {
  asking_ = false;
  session_ = found;
  self_->monitor(session_);
  // What was attached goes on behind the last number it was given.
  if (was_attached_)
    wanted_ = attach_session{.after = parts_->codec->last_seq(), .snapshot = false};
  if (wanted_)
    attach_now();
  else
    searching_ = false;
  for (auto& entry : unanswered_)
    send(entry);
}

} // namespace sidevoice
