#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Requests and answers of a fake provider as plain values.
namespace sidevoice {

struct fake_field {
  std::string name;
  std::string value;

  bool operator==(const fake_field&) const = default;
};

/// Names of fields have no case.
bool is_same_field(std::string_view a, std::string_view b);

struct fake_request {
  std::string method = {};
  /// Percent-decoded, without the query.
  std::string path = {};
  std::map<std::string, std::string> query = {};
  std::vector<fake_field> fields = {};
  std::string body = {};
  /// Time of day in seconds since 1970; answers say it as "created".
  std::int64_t unix_s = 0;

  /// The first field of this name (any case); empty without one.
  [[nodiscard]] std::string field(std::string_view name) const;
};

/// Bytes that go out together.
struct fake_chunk {
  /// Since the chunk before it; of the first, since the request was there.
  std::chrono::microseconds after{0};
  std::string bytes = {};

  bool operator==(const fake_chunk&) const = default;
};

/// What follows the last chunk.
enum class fake_ending {
  /// The answer is complete.
  end,
  /// The connection is closed in mid-answer.
  cut,
  /// Nothing, until the client leaves.
  stall,
};

struct fake_answer {
  /// Of the request, for `fake_openai::ended`; 0: it is not in the log.
  std::uint64_t number = 0;
  unsigned status = 200;
  std::vector<fake_field> fields = {};
  /// Unset: a stream of unknown length.
  std::optional<std::size_t> content_length = {};
  /// The head goes out with the first.
  std::vector<fake_chunk> chunks = {};
  fake_ending ending = fake_ending::end;

  /// The value of a field; empty without one.
  [[nodiscard]] std::string field(std::string_view name) const;
  /// All chunks in a row.
  [[nodiscard]] std::string bytes() const;
};

} // namespace sidevoice
