#include "providers/chat_stream.hpp"
#include "providers/sse.hpp"
#include "providers/vendor_fault.hpp"

#include <utf8.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

namespace {

using namespace sidevoice;

void must(bool is_so, const char* what) {
  if (is_so)
    return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

bool can_be_stored(const std::string& text) {
  return utf8::is_valid(text.begin(), text.end()) && text.find('\0') == std::string::npos;
}

/// What every answer keeps, whatever a server sends.
class judge {
public:
  void take(const std::vector<llm_event>& events) {
    for (const auto& event : events) {
      must(!is_over_, "something came behind the end");
      if (const auto* text = std::get_if<llm_text>(&event)) {
        must(!text->delta.empty() && can_be_stored(text->delta), "a text that cannot be stored");
        text_bytes_ += text->delta.size();
      } else if (const auto* call = std::get_if<llm_call>(&event)) {
        must(can_be_stored(call->arguments) && call->arguments.size() <= 64 << 10, "bad arguments");
        must(can_be_stored(call->name) && !call->name.empty(), "bad name");
        must(can_be_stored(call->call_id) && ids_.insert(call->call_id).second, "bad id");
      } else {
        is_over_ = true;
        if (const auto* failed = std::get_if<llm_failed>(&event))
          must(!failed->why.reason.empty() && !failed->why.detail.empty(), "a nameless failure");
      }
    }
    must(text_bytes_ <= 256 << 10 && ids_.size() <= 32, "an answer beyond its bounds");
  }

  [[nodiscard]] bool is_over() const {
    return is_over_;
  }

private:
  std::set<std::string> ids_;
  std::size_t text_bytes_ = 0;
  bool is_over_ = false;
};

void read_stream(std::string_view first, std::string_view second) {
  counted_ids ids;
  chat_stream answer{ids, {}};
  sse_parser parser{64 << 10};
  judge one;
  for (const auto piece : {first, second}) {
    const auto events = parser.take(piece);
    if (!events)
      return;
    for (const auto& event : *events)
      one.take(answer.take(event.data));
  }
  if (const auto last = parser.end())
    one.take(answer.take_last(last->data));
  one.take(answer.end());
  must(one.is_over() && answer.is_over(), "a stream without an end");
}

void read_whole(std::string_view body) {
  counted_ids ids;
  chat_stream answer{ids, {}};
  judge one;
  one.take(answer.take_whole(body));
  must(one.is_over(), "a whole answer without an end");
}

} // namespace

/// A vendor's stream, cut once at the place that the first byte names: events, answer and faults.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0)
    return 0;
  const std::string_view text{reinterpret_cast<const char*>(bytes) + 1, size - 1};
  const auto cut = text.size() * bytes[0] / 256;
  read_stream(text.substr(0, cut), text.substr(cut));
  read_whole(text);
  const auto why = sidevoice::vendor_error(400 + bytes[0], sidevoice::read_vendor_fault(text), "v");
  must(!why.reason.empty(), "a nameless fault");
  return 0;
}
