#include "tests/lab/world.hpp"

#include <map>
#include <set>

/// What is said is heard once, and answered.
namespace sidevoice::lab {

void world::check_speech(const std::string& session, const std::vector<event_ptr>& events,
                         const session_view& view) {
  std::map<std::string, std::string> heard;
  std::map<std::string, int> said;
  std::set<std::string> asked;
  std::set<std::string> spoken;
  std::vector<input_speech> failed;
  std::map<std::string, input_speech> open;
  for (const auto& e : events) {
    if (const auto* speech = std::get_if<input_speech>(&e->body)) {
      if (!spoken.insert(speech->item).second)
        violated(session + ": the speech " + speech->item + " was taken twice");
      open[speech->item] = *speech;
    } else if (const auto* words = std::get_if<input_transcribed>(&e->body)) {
      if (heard.contains(words->item))
        violated(session + ": the speech " + words->item + " was transcribed twice");
      heard[words->item] = words->text;
      if (words->reason == "failed")
        failed.push_back(open[words->item]);
      ++said[words->text];
      ++out_.faults["speech: " + (words->reason.empty() ? "words" : words->reason)];
    } else if (const auto* request = std::get_if<response_requested>(&e->body)) {
      asked.insert(request->cause.begin(), request->cause.end());
    }
  }
  if (!view.open_speech.empty())
    violated(session + ": the words of " + view.open_speech.front().item + " never came");
  for (const auto& [text, count] : said)
    if (text.starts_with("said ") && count > 1)
      violated(session + ": \"" + text + "\" was heard " + std::to_string(count) + " times");
  for (const auto& [item, text] : heard)
    if (text.starts_with("said ") && !asked.contains(item) && view.ended.empty()
        && !view.removed.contains(item))
      violated(session + ": nobody answers what was said, " + text);
  for (const auto& who : patrons_) {
    auto* mic = who.session == session ? who.client->microphone() : nullptr;
    if (mic == nullptr)
      continue;
    for (const auto& sentence : mic->dealt_with()) {
      const auto text = "said " + std::to_string(sentence.number);
      // Every engine failed at it: the visitor was asked to say it again.
      const auto excused = std::any_of(failed.begin(), failed.end(), [&](const auto& speech) {
        return speech.stream == sentence.stream && speech.from_ms < sentence.to_ms
               && speech.to_ms > sentence.from_ms;
      });
      if (said[text] != 1 && !excused && view.ended.empty())
        violated(who.client->name() + " had \"" + text + "\" (" + sentence.stream + " "
                 + std::to_string(sentence.from_ms) + " to " + std::to_string(sentence.to_ms)
                 + " ms)" + " acknowledged, and it is in the journal " + std::to_string(said[text])
                 + " times");
    }
    if (!mic->is_settled() && view.ended.empty())
      violated(who.client->name() + " still keeps speech that nobody has acknowledged");
  }
}

} // namespace sidevoice::lab
