#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sidevoice {

/// Cuts a stream of text into clauses: the unit of the journal (response.spoken) and later of
/// speech. A clause ends behind `.`, `!`, `?`, `:`, `;` or a newline that is followed by white
/// space, or behind a comma after at least 60 characters; abbreviations ("e.g.", "Dr.", "No. 5",
/// "3.5") do not end one. Pure.
class clause_cutter {
public:
  struct piece {
    std::uint32_t clause = 1;
    std::string text;

    bool operator==(const piece&) const = default;
  };

  /// The pieces of this delta, each within one clause; joined they equal all deltas. White space
  /// after the end mark belongs to the clause that ends. Never cuts within a code point.
  std::vector<piece> add(std::string_view delta);

  [[nodiscard]] std::uint32_t clause() const {
    return clause_;
  }

private:
  std::uint32_t clause_ = 1;
  std::string current_;
  bool in_space_ = false;
};

} // namespace sidevoice
