#include "providers/fake/reply.hpp"

#include "providers/fake/completion.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <string_view>
#include <utility>

namespace sidevoice {

namespace {

using std::chrono::microseconds;

bool is_piece(const reply_event& e) {
  return e.what == reply_event::kind::piece;
}

/// Makes one answer. Lives for one call.
class composer {
public:
  composer(const fake_reply& reply, const reply_context& context)
      : reply_(reply),
        context_(context),
        dice_(context.seed) {}

  fake_answer make() {
    if (reply_.body)
      return raw();
    if (reply_.status >= 300)
      return failure();
    return context_.stream && !reply_.json_instead_of_sse ? stream() : whole();
  }

private:
  // -- time ---------------------------------------------------------------------------------------

  microseconds jitter() {
    const auto most = reply_.pace.jitter_ms * 1000;
    return microseconds{most == 0 ? 0 : dice_() % (most + 1)};
  }

  microseconds latency() {
    return microseconds{reply_.pace.latency_ms * 1000} + jitter();
  }

  microseconds gap() {
    const auto rate = reply_.pace.words_per_second;
    return microseconds{rate > 0 ? std::llround(1e6 / rate) : 0} + jitter();
  }

  // -- whole answers ------------------------------------------------------------------------------

  /// Where a stream would end early, the body ends in its middle.
  fake_answer sent(fake_answer out, microseconds after) {
    auto body = out.bytes();
    out.content_length = body.size();
    if (reply_.stall_after || reply_.drop_after) {
      out.ending = reply_.drop_after ? fake_ending::cut : fake_ending::stall;
      body.resize(body.size() / 2);
    }
    out.chunks.clear();
    put(out, after, body);
    add_headers(out);
    return out;
  }

  void put(fake_answer& out, microseconds after, const std::string& bytes) const {
    if (!reply_.split_bytes) {
      out.chunks.push_back({after, bytes});
      return;
    }
    for (auto& part : split_oddly(bytes))
      out.chunks.push_back({std::exchange(after, microseconds{0}), std::move(part)});
  }

  void add_headers(fake_answer& out) const {
    for (const auto& [name, value] : reply_.headers) {
      std::erase_if(out.fields,
                    [&name = name](const auto& f) { return is_same_field(f.name, name); });
      out.fields.push_back({name, value});
    }
  }

  fake_answer raw() {
    auto out = json_answer(reply_.status, *reply_.body);
    add_retry(out);
    return sent(std::move(out), latency());
  }

  void add_retry(fake_answer& out) const {
    if (!reply_.retry_after_ms)
      return;
    out.fields.push_back({"retry-after-ms", std::to_string(*reply_.retry_after_ms)});
    out.fields.push_back({"retry-after", std::to_string((*reply_.retry_after_ms + 999) / 1000)});
  }

  fake_answer failure() {
    auto error = reply_.error;
    error.status = reply_.status;
    auto out = error_answer(std::move(error));
    add_retry(out);
    return sent(std::move(out), latency());
  }

  fake_answer whole() {
    if (reply_.error_after)
      return sent(json_answer(200, error_json(reply_.stream_error)), latency());
    const auto events = completion_events(reply_, context_);
    const auto pieces = std::count_if(events.begin(), events.end(), is_piece);
    // It comes when the last piece of a stream would have come.
    auto after = latency();
    for (auto i = pieces; i > 1; --i)
      after += gap();
    return sent(json_answer(reply_.status, whole_completion(reply_, context_)), after);
  }

  // -- streams ------------------------------------------------------------------------------------

  /// The event that follows `pieces` pieces; with fewer in all, the one that finishes.
  static std::size_t event_after(const std::vector<reply_event>& events, std::size_t pieces) {
    const auto at = std::find_if(events.begin(), events.end(), [&pieces](const reply_event& e) {
      return e.what == reply_event::kind::finish || (is_piece(e) && pieces-- == 0);
    });
    return static_cast<std::size_t>(at - events.begin());
  }

  [[nodiscard]] std::string wire(const reply_event& e) const {
    static constexpr std::string_view ends[] = {"\n", "\r\n", "\r"};
    const auto which = reply_.line_end.value_or(reply_.split_bytes ? fake_line_end::crlf
                                                                   : fake_line_end::lf);
    const std::string end{ends[static_cast<std::size_t>(which)]};
    return (reply_.comments ? ": keep-alive" + end + end : "") + "data: " + e.data + end + end;
  }

  fake_answer stream() {
    auto events = completion_events(reply_, context_);
    fake_answer out{.fields = {{"content-type", "text/event-stream; charset=utf-8"},
                               {"cache-control", "no-cache"}}};
    std::string torn;
    if (reply_.error_after) {
      events.resize(event_after(events, *reply_.error_after));
      events.push_back({reply_event::kind::tail, error_json(reply_.stream_error)});
    } else if (reply_.drop_after) {
      const auto at = event_after(events, *reply_.drop_after);
      torn = wire(events[at]);
      torn.resize(torn.size() / 2);
      events.resize(at);
      out.ending = fake_ending::cut;
    } else if (reply_.stall_after) {
      events.resize(event_after(events, *reply_.stall_after));
      out.ending = fake_ending::stall;
    }
    auto after = latency();
    auto first_piece = true;
    for (const auto& e : events) {
      if (is_piece(e) && !std::exchange(first_piece, false))
        after += gap();
      put(out, std::exchange(after, microseconds{0}), wire(e));
    }
    if (!torn.empty())
      put(out, after, torn);
    add_headers(out);
    return out;
  }

  const fake_reply& reply_;
  const reply_context& context_;
  std::mt19937_64 dice_;
};

} // namespace

fake_answer compose_reply(const fake_reply& reply, const reply_context& context) {
  return composer{reply, context}.make();
}

} // namespace sidevoice
