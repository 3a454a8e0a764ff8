#include "actors/session_state.hpp"
#include "config/log.hpp"

#include <utf8.h>

#include <algorithm>

/// How far answers have been heard: what a spoken one waits for, and where it is cut.
namespace sidevoice {

namespace {

/// Sound that nobody hears takes this long for a byte of text at most.
constexpr std::chrono::milliseconds speech_per_byte{100};

/// The first `bytes` of a text, cut between code points.
std::string cut_text(const std::string& text, std::size_t bytes) {
  auto end = std::min(bytes, text.size());
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
    --end;
  return text.substr(0, end);
}

/// Bytes of a text that are spoken within `ms` of its `length` ms, in proportion on code points.
std::size_t bytes_at(const std::string& text, std::uint32_t ms, std::uint32_t length) {
  if (length == 0 || ms >= length)
    return text.size();
  const auto points = static_cast<std::size_t>(utf8::unchecked::distance(text.begin(), text.end()));
  auto left = points * ms / length;
  auto at = text.begin();
  while (left-- > 0)
    utf8::unchecked::next(at);
  return static_cast<std::size_t>(at - text.begin());
}

} // namespace

session_state::promise session_state::on_interrupt(const interrupt_speech& command) {
  note_playing(command.playing);
  const auto* running = ahead().running();
  if (running != nullptr
      && (command.playing.item.empty() || running->item == command.playing.item)) {
    std::vector<event_body> events;
    interrupt(command.reason, events);
    return accept(std::move(events));
  }
  const auto* known = ahead().find_item(command.playing.item);
  if (known == nullptr || !known->value.spoken)
    return refuse({errc::not_found, "no response is active", "response_id", "response_not_active"});
  // It was complete, and its last second was still to be played.
  auto text = cut_text(known->value.text, command.playing.heard_text);
  if (text.size() >= known->value.text.size())
    return repeat(ahead().head);
  return accept({item_heard{known->value.id, command.playing.played_ms, std::move(text)}});
}

session_state::promise session_state::on_hear(const hear_item& command) {
  const auto& view = ahead();
  if (const auto* running = view.running(); running != nullptr && running->item == command.item) {
    // It is not whole yet: what was heard counts when it ends.
    if (spoken_item_ != command.item)
      return refuse({errc::invalid, "this item is text", "item_id", "not_spoken"});
    playing_ = {.item = command.item,
                .sent_ms = std::max(playing_.sent_ms, command.ms),
                .played_ms = command.ms,
                .heard_text =
                  command.text_end.value_or(bytes_at(gate_.heard(), command.ms, playing_.sent_ms)),
                .audible = false};
    std::vector<event_body> events;
    // Plain clients tell it when they see that speech has begun, perhaps before the audio actor
    // does.
    const auto by_speech = seat_ && seat_->terms.interrupts_at_once;
    interrupt(by_speech ? "turn_detected" : "client_cancelled", events);
    return accept(std::move(events));
  }
  const auto* known = view.find_item(command.item);
  if (known == nullptr)
    return refuse({errc::not_found, "there is no item " + command.item + " in this conversation",
                   "item_id", "item_unknown"});
  const auto& value = known->value;
  if (!value.spoken || value.role != item_role::assistant)
    return refuse({errc::invalid, "only spoken items of the assistant can be truncated", "item_id",
                   "not_spoken"});
  // All of it has been heard, or it ends earlier already.
  if (value.audio_ms <= command.ms)
    return repeat(view.head);
  auto text = cut_text(value.text,
                       command.text_end.value_or(bytes_at(value.text, command.ms, value.audio_ms)));
  return accept({item_heard{value.id, std::min(command.ms, value.audio_ms), std::move(text)}});
}

/// Where the answer that runs now has been heard to; points of other answers say nothing of it.
void session_state::note_playing(const playout_point& point) {
  if (!point.item.empty() && point.item == spoken_item_)
    playing_ = point;
}

void session_state::on_playout(const playout_report& report) {
  note_playing(report.point);
  if (speaking_ && report.sent_all && report.point.item == gate_.item())
    complete_answer(report.point.sent_ms);
}

void session_state::on_measured(turn_measured measured) {
  if (parts_.turns != nullptr)
    parts_.turns->add(measured);
  if (ahead().ended.empty())
    write({std::move(measured)}, nullptr);
}

/// A run begins: spoken where somebody in the seat wants to hear it.
void session_state::open_speech(const run_response& run) {
  speaking_.reset();
  spoken_item_.clear();
  playing_ = {};
  if (!seat_ || !seat_->terms.speaks)
    return;
  spoken_item_ = run.item;
  if (seat_->tts)
    self_->send(seat_->tts, speech_open{run.response, run.attempt, run.item, false});
}

/// The answer's text is whole, and its sound is still going out: its end waits for that.
void session_state::speak_rest(answer_done done) {
  text_told_ = false;
  const auto length = gate_.heard().size() + gate_.held().size();
  speaking_ = std::move(done);
  const auto patience = parts_.timing.playout_slack + speech_per_byte * length;
  self_->delayed_send(self_, patience, playout_deadline{gate_.item()});
  tell_text();
}

void session_state::tell_text() {
  if (!speaking_ || text_told_ || !gate_.held().empty())
    return;
  text_told_ = true;
  if (seat_ && seat_->tts)
    self_->send(seat_->tts,
                text_complete{gate_.response(), gate_.attempt(), gate_.item(), gate_.heard()});
}

void session_state::on_playout_deadline(const playout_deadline& deadline) {
  if (!speaking_ || gate_.item() != deadline.item)
    return;
  // A visitor who holds the answer with a word may take a while; the sound is moving then.
  parts_.count->add(counter::deadlines_passed);
  log(log_level::warning, "speech.not_sent",
      {{"session", who_.id}, {"response", gate_.response()}, {"item", deadline.item}});
  complete_answer(playing_.sent_ms);
}

spoken_ms session_state::spoken_so_far() const {
  if (spoken_item_.empty() || spoken_item_ != gate_.item())
    return std::nullopt;
  return playing_.item == spoken_item_ ? playing_.played_ms : 0;
}

/// What of the running answer has been heard; the rest goes to `held`.
std::string session_state::heard_of_answer(std::string& held) const {
  auto heard = gate_.heard();
  if (!spoken_so_far())
    return heard;
  auto cut = cut_text(heard, playing_.item == spoken_item_ ? playing_.heard_text : 0);
  held = heard.substr(cut.size()) + held;
  return cut;
}

} // namespace sidevoice
