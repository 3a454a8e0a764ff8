#pragma once

#include "tests/gateway/realtime_client.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

/// Clients that talk, and what they say and get.
namespace talking {

using namespace sidevoice;
using nlohmann::json;

inline const std::string audio_begin =
  "response.output_item.added conversation.item.added response.content_part.added";
inline const std::string audio_end =
  "response.output_audio.done response.output_audio_transcript.done response.content_part.done "
  "conversation.item.done response.output_item.done";

/// 100 ms at 24 kHz.
inline std::string piece_of_sound() {
  return encode_sound(samples(2400, 5), sound_encoding::pcm16);
}

inline json append(const std::string& audio) {
  return {{"type", "input_audio_buffer.append"}, {"audio", audio}};
}

inline json update(json session) {
  session["type"] = "realtime";
  return {{"type", "session.update"}, {"session", std::move(session)}};
}

inline json input_format(const json& format) {
  return update({{"audio", {{"input", {{"format", format}}}}}});
}

inline json cut(const std::string& item, int ms) {
  return {{"type", "conversation.item.truncate"},
          {"event_id", "t1"},
          {"item_id", item},
          {"content_index", 0},
          {"audio_end_ms", ms}};
}

inline item spoken(const std::string& id, const std::string& text, std::uint32_t ms,
                   const std::string& response) {
  auto out = message(id, item_role::assistant, text, response);
  out.spoken = true;
  out.audio_ms = ms;
  return out;
}

inline event_body done(const std::string& response,
                       response_status status = response_status::completed,
                       const std::string& reason = {}) {
  return response_done{response, status, reason, {3, 2}};
}

/// A client with the seat.
struct talker : realtime_client {
  explicit talker(bool extensions = false)
      : realtime_client{{.extensions = extensions, .speaks = true}} {
    start();
    if (extensions) {
      send(update({{"output_modalities", {"audio"}}}));
      send({{"type", "sidevoice.audio.replay"}, {"stream", "mic"}, {"from_ms", 0}});
    } else {
      send(update(json::object()));
      send(append(piece_of_sound()));
    }
    take(codec->on_seat("yours", {}));
  }

  std::vector<json> sound(const std::string& response, const std::string& item,
                          std::uint32_t from_ms = 0, std::uint32_t attempt = 1) {
    return take(
      codec->on_sound({response, attempt, item, from_ms, samples(2400, 5), from_ms == 0}));
  }

  /// Of the newest action of this kind.
  template <class Action>
  const Action& act() const {
    for (auto i = voice.rbegin(); i != voice.rend(); ++i)
      if (const auto* found = std::get_if<Action>(&*i))
        return *found;
    FAIL("no such action");
    throw std::logic_error("not reached");
  }

  template <class Action>
  std::size_t acts() const {
    return static_cast<std::size_t>(std::count_if(voice.begin(), voice.end(), [](const auto& a) {
      return std::holds_alternative<Action>(a);
    }));
  }

  void begin(const std::string& response, const std::string& item) {
    publish({response_requested{response, {"x"}}, response_started{response, 1, item}});
  }
};

struct own_talker : talker {
  own_talker() : talker(true) {}
};

} // namespace talking
