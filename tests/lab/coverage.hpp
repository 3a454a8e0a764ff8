#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace sidevoice::lab {

/// In which states sessions were hit by which faults.
class coverage {
public:
  /// What a session may be doing when a fault hits it; more than one at a time.
  static const std::vector<std::string>& states();

  void hit(const std::string& fault, const std::vector<std::string>& states_then);
  void add(const coverage& other);

  /// As a table of Markdown. A cell that cannot be is a dash.
  [[nodiscard]] std::string table() const;
  /// Cells with fewer than `hits_min` hits, as sentences.
  [[nodiscard]] std::vector<std::string> gaps(std::uint64_t hits_min) const;

private:
  std::map<std::pair<std::string, std::string>, std::uint64_t> hits_;
};

} // namespace sidevoice::lab
