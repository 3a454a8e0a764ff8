#include "tests/lab/coverage.hpp"

#include "tests/lab/scenario.hpp"

#include <algorithm>

namespace sidevoice::lab {

namespace {

/// A line cannot be cut where there is none, and of an empty seat no actor is left.
bool cannot_be(const std::string& fault, const std::string& state) {
  const auto of_voice = fault.ends_with(" audio") || fault.ends_with(" stt")
                        || fault.ends_with(" tts");
  return state == "nobody there"
         && (of_voice || fault == "line cut" || fault.ends_with(" connection"));
}

} // namespace

const std::vector<std::string>& coverage::states() {
  static const std::vector<std::string> all{"quiet",     "asked",   "answering",
                                            "half said", "calling", "words awaited",
                                            "writing",   "talking", "nobody there"};
  return all;
}

void coverage::hit(const std::string& fault, const std::vector<std::string>& states_then) {
  for (const auto& state : states_then)
    ++hits_[{fault, state}];
}

void coverage::add(const coverage& other) {
  for (const auto& [cell, count] : other.hits_)
    hits_[cell] += count;
}

std::string coverage::table() const {
  std::string out = "| fault |";
  std::string rule = "| --- |";
  for (const auto& state : states()) {
    out += ' ' + state + " |";
    rule += " ---: |";
  }
  out += '\n' + rule + '\n';
  for (const auto& fault : fault_names()) {
    out += "| " + fault + " |";
    for (const auto& state : states()) {
      const auto cell = hits_.find({fault, state});
      const auto count = cell == hits_.end() ? 0 : cell->second;
      out += ' ' + (count == 0 && cannot_be(fault, state) ? "-" : std::to_string(count)) + " |";
    }
    out += '\n';
  }
  return out;
}

std::vector<std::string> coverage::gaps(std::uint64_t hits_min) const {
  std::vector<std::string> out;
  for (const auto& fault : fault_names())
    for (const auto& state : states()) {
      const auto cell = hits_.find({fault, state});
      const auto count = cell == hits_.end() ? 0 : cell->second;
      if (count < hits_min && !cannot_be(fault, state))
        out.push_back("\"" + fault + "\" hit a session that was " + state + " only "
                      + std::to_string(count) + " times");
    }
  return out;
}

} // namespace sidevoice::lab
