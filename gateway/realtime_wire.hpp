#pragma once

#include "config/ids.hpp"
#include "gateway/codec.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Frames of the Realtime protocol: bytes to JSON and back.
namespace sidevoice {

/// Bounds of one client. What is beyond is refused with an error that names the bound.
struct realtime_limits {
  static constexpr std::size_t frame_bytes = 1024 * 1024;
  /// Base64 text of one input_audio_buffer.append, the only event that may be larger.
  static constexpr std::size_t append_bytes = 15 * 1024 * 1024;
  static constexpr std::size_t depth = 32;
  static constexpr std::size_t text_bytes = 128 * 1024;
  static constexpr std::size_t event_id_bytes = 512;
  static constexpr std::size_t tools = 128;
  /// Commands of one connection that wait for their answer.
  static constexpr std::size_t unanswered = 256;
};

/// What is wrong with a client's event, in the protocol's words.
struct realtime_fault {
  /// Such as "invalid_value".
  std::string code;
  std::string message;
  /// Path of the field, such as "session.tools[0].name"; empty: null.
  std::string param = {};
  std::string type = "invalid_request_error";
};

/// What the type of a frame with more than `frame_bytes` has to be.
std::optional<realtime_fault> check_size(std::string_view text, std::string_view type);

/// Reads one frame as a JSON object. Refuses what is too large or too deep, invalid UTF-8, lone
/// surrogates, NUL characters, and objects that name a key twice. With a fault that leaves the
/// event readable (NUL, a repeated key) `out` holds the object, so that its event_id is known.
std::optional<realtime_fault> read_frame(std::string_view text, nlohmann::json& out);

/// Makes the server's events: gives each its event_id and, for connections with extensions, the
/// session's id and the number of the journaled event that caused it.
///
/// One journaled event may make several frames. All but the last of them carry `"more": true`: a
/// client that takes a number as seen only from a frame without `more` resumes without a loss even
/// where its socket broke between two of them.
class realtime_writer {
public:
  realtime_writer(id_source& ids, std::string session, bool extensions);

  [[nodiscard]] bool extensions() const {
    return extensions_;
  }

  /// What follows up to `end` was caused by the journaled event `seq`.
  void begin(std::uint64_t seq);
  void end();
  /// Events made so far that carry a number.
  [[nodiscard]] std::uint64_t numbered() const {
    return numbered_;
  }

  /// What follows within the group is caused by that event instead: items of a snapshot.
  void number(std::uint64_t seq) {
    seq_ = seq;
  }

  /// An event. With extensions it carries the session's id (unless it has a field of that name) and
  /// `seq`: null outside of begin and end.
  void event(nlohmann::json&& body);
  /// An event that no journaled one has caused, such as a piece of an answer: `seq` is null.
  void ephemeral(nlohmann::json&& body);
  void fault(const realtime_fault& what, const std::string& event_id);

  void act(codec_action action);
  codec_actions take();

private:
  void write(nlohmann::json& body, bool refusal);

  std::string session_;
  std::string event_id_;
  std::uint64_t events_ = 0;
  std::uint64_t numbered_ = 0;
  bool extensions_;
  std::optional<std::uint64_t> seq_;
  std::size_t group_ = 0;
  codec_actions actions_;
};

} // namespace sidevoice
