#include "gateway/realtime_wire.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#include <utility>

namespace sidevoice {

namespace {

using nlohmann::json;

constexpr std::string_view append_type = "input_audio_buffer.append";
/// Of an append, beside its sound.
constexpr std::size_t other_bytes = 4096;

/// Counts brackets outside of strings, so that a deep frame is refused before it costs anything.
bool too_deep(std::string_view text) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = text[i];
    if (in_string) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > realtime_limits::depth)
        return true;
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return false;
}

bool has_nul(const std::string& text) {
  return text.find('\0') != std::string::npos;
}

/// Watches the parser for what JSON allows and we do not.
class frame_watch {
public:
  bool operator()(json::parse_event_t what, const json& value) {
    switch (what) {
      case json::parse_event_t::object_start:
        keys_.emplace_back();
        break;
      case json::parse_event_t::object_end:
        keys_.pop_back();
        break;
      case json::parse_event_t::key: {
        const auto& key = value.get_ref<const std::string&>();
        nul_ = nul_ || has_nul(key);
        if (!keys_.back().insert(key).second && repeated_.empty())
          repeated_ = key.substr(0, 64);
        break;
      }
      case json::parse_event_t::value:
        nul_ = nul_ || (value.is_string() && has_nul(value.get_ref<const std::string&>()));
        break;
      default:
        break;
    }
    return true;
  }

  [[nodiscard]] std::optional<realtime_fault> found() const {
    if (!repeated_.empty())
      return realtime_fault{"invalid_json", "The key \"" + repeated_
                                              + "\" stands twice in one object; send it once."};
    if (nul_)
      return realtime_fault{"invalid_value",
                            "The event holds a NUL character (\\u0000), which cannot be stored; "
                            "leave it out."};
    return std::nullopt;
  }

private:
  std::vector<std::set<std::string>> keys_;
  std::string repeated_;
  bool nul_ = false;
};

} // namespace

std::optional<realtime_fault> check_size(std::string_view text, std::string_view type) {
  if (text.size() <= realtime_limits::frame_bytes || type == append_type)
    return std::nullopt;
  return realtime_fault{"invalid_value",
                        "The frame has " + std::to_string(text.size()) + " bytes; at most "
                          + std::to_string(realtime_limits::frame_bytes) + " are allowed."};
}

std::optional<realtime_fault> read_frame(std::string_view text, json& out) {
  // Only sound is large: what cannot be sound is not even parsed.
  const bool may_be_sound = text.size() <= realtime_limits::append_bytes + other_bytes
                            && text.find(append_type) != std::string_view::npos;
  if (!may_be_sound)
    if (auto wrong = check_size(text, {}))
      return wrong;
  if (too_deep(text))
    return realtime_fault{"invalid_json", "The frame is nested deeper than "
                                            + std::to_string(realtime_limits::depth)
                                            + " levels; flatten it."};
  frame_watch watch;
  try {
    out = json::parse(text.begin(), text.end(),
                      [&watch](int, json::parse_event_t what, json& value) {
                        return watch(what, value);
                      });
  } catch (const json::parse_error& e) {
    return realtime_fault{"invalid_json",
                          "The frame is not JSON: it stops making sense at byte "
                            + std::to_string(e.byte)
                            + ". Send one JSON object a frame, in UTF-8 without lone surrogates."};
  } catch (const json::exception&) {
    return realtime_fault{"invalid_json",
                          "The frame holds a number that is out of range; send a smaller one."};
  }
  if (!out.is_object())
    return realtime_fault{"invalid_json",
                          "The frame is not a JSON object; send an object with a `type`."};
  return watch.found();
}

realtime_writer::realtime_writer(id_source& ids, std::string session, bool extensions)
    : session_(std::move(session)),
      event_id_(ids.make("event_")),
      extensions_(extensions) {}

void realtime_writer::begin(std::uint64_t seq) {
  seq_ = seq;
  group_ = actions_.size();
}

void realtime_writer::end() {
  seq_.reset();
  const auto from = std::exchange(group_, actions_.size());
  if (!extensions_)
    return;
  send_frame* last = nullptr;
  for (auto i = from; i < actions_.size(); ++i) {
    auto* frame = std::get_if<send_frame>(&actions_[i]);
    if (frame == nullptr)
      continue;
    if (last != nullptr)
      last->text.replace(last->text.size() - 1, 1, R"(,"more":true})");
    last = frame;
  }
}

void realtime_writer::event(json&& body) {
  if (extensions_) {
    if (!body.contains("session"))
      body["session"] = session_;
    body["seq"] = seq_ ? json(*seq_) : json{};
    numbered_ += seq_ ? 1 : 0;
  }
  write(body, false);
}

void realtime_writer::ephemeral(json&& body) {
  const auto seq = std::exchange(seq_, std::nullopt);
  event(std::move(body));
  seq_ = seq;
}

void realtime_writer::fault(const realtime_fault& what, const std::string& event_id) {
  const auto text_or_null = [](const std::string& text) {
    return text.empty() ? json{} : json(text);
  };
  json body{{"type", "error"},
            {"error",
             {{"type", what.type},
              {"code", what.code},
              {"message", what.message},
              {"param", text_or_null(what.param)},
              {"event_id", text_or_null(event_id)}}}};
  write(body, true);
}

void realtime_writer::write(json& body, bool refusal) {
  body["event_id"] = event_id_ + "_" + std::to_string(++events_);
  // What is stored is valid UTF-8; should it ever not be, a client gets a replacement character and
  // not an exception.
  actions_.emplace_back(
    send_frame{body.dump(-1, ' ', false, json::error_handler_t::replace), refusal});
}

void realtime_writer::act(codec_action action) {
  actions_.push_back(std::move(action));
}

codec_actions realtime_writer::take() {
  group_ = 0;
  return std::exchange(actions_, {});
}

} // namespace sidevoice
