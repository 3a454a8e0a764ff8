#include "config/app_file.hpp"
#include "persistence/fold.hpp"
#include "tests/fuzz/fuzzing.hpp"

#include <array>
#include <memory>
#include <string>

using namespace sidevoice;
using namespace sidevoice::fuzzing;

namespace {

constexpr std::array types{"session.started",    "item.put",          "item.removed",
                           "input.speech",       "input.transcribed", "item.heard",
                           "response.requested", "response.started",  "response.spoken",
                           "response.done",      "call.opened",       "call.approved",
                           "call.started",       "call.ended",        "topic.updated",
                           "analysis.done",      "turn.measured",     "session.completed",
                           "session.reopened",   "session.ended",     "unheard.of"};

/// What a disk holds as one event: refused as damage, or a body that is written as it was read.
void read_event(session_view& view, std::string_view type, std::string_view body) {
  const auto found = decode(type, 1, body);
  if (!found) {
    must(found.error().code == errc::damaged && !found.error().detail.empty(),
         "a fault of no kind");
    return;
  }
  const auto text = encode(*found);
  const auto again = decode(type, version_of(*found), text);
  must(again.has_value() && *again == *found, "what was written is read as something else");
  must(encode(*again) == text, "one body has two texts");
  const auto head = view.head;
  must(sidevoice::apply(view, {head + 1, 1000, *found}).has_value(), "the next event is refused");
  must(view.head == head + 1, "an event without a number");
}

/// A snapshot that a disk holds, or that was just made.
void read_snapshot(std::string_view text) {
  const auto view = decode_view(text);
  if (!view)
    return;
  const auto again = decode_view(encode(*view));
  must(again.has_value() && *again == *view, "a snapshot that is not what it was made of");
  // What goes on from it must not fall over what it says.
  auto next = *view;
  (void)next.unanswered();
  (void)next.result();
  must(!sidevoice::apply(next, {view->head, 1, erased{"x"}}).has_value(), "an event came twice");
}

void read_stored_release(std::string_view text) {
  const auto app = read_release(json_text{text});
  if (!app)
    return;
  const auto again = read_release((*app)->release_body);
  must(again.has_value() && (*again)->release == (*app)->release
         && (*again)->topics == (*app)->topics && (*again)->tools == (*app)->tools,
       "a release that is not what it was made of");
}

} // namespace

/// Lines of a damaged journal, each a letter for its type and a body; then the whole as a snapshot
/// and as a release.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto text = text_of(bytes, size);
  session_view view;
  for (const auto line : split(text, '\n', 64))
    if (!line.empty())
      read_event(view, types.at(static_cast<unsigned char>(line[0]) % types.size()),
                 line.substr(1));
  const auto made = decode_view(encode(view));
  must(made.has_value() && *made == view, "a snapshot of a journal is something else");
  read_snapshot(text);
  read_stored_release(text);
  return 0;
}
