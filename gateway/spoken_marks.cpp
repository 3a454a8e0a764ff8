#include "gateway/spoken_marks.hpp"

#include <algorithm>

namespace sidevoice {

namespace {

/// Beyond it every second mark goes: a minute's answer is still known to half a second.
constexpr std::size_t marks_max = 256;

} // namespace

void spoken_marks::add(std::size_t text_end, std::uint64_t at) {
  const auto last = marks_.back();
  const mark one{std::max(text_end, last.text_end), std::max(at, last.at)};
  // What was said of this sample before was not known so well.
  if (marks_.size() > 1 && last.at == one.at)
    marks_.pop_back();
  const auto count = marks_.size();
  // The middle one of three at the same text, or of three at the same sample, says nothing.
  if (count > 1) {
    const auto& before = marks_[count - 2];
    const bool is_same_text = before.text_end == one.text_end;
    const bool is_same_place = before.at == one.at;
    if (is_same_text || is_same_place)
      marks_.pop_back();
  }
  marks_.push_back(one);
  if (marks_.size() <= marks_max)
    return;
  // The first and the last stay.
  std::size_t kept = 1;
  for (std::size_t i = 2; i < marks_.size(); i += 2)
    marks_[kept++] = marks_[i];
  marks_[kept - 1] = one;
  marks_.resize(kept);
}

void spoken_marks::cut(std::uint64_t at) {
  if (at >= marks_.back().at)
    return;
  const auto text = text_at(at);
  while (marks_.size() > 1 && marks_.back().at >= at)
    marks_.pop_back();
  add(text, at);
}

std::size_t spoken_marks::text_at(std::uint64_t at) const {
  const auto next = std::upper_bound(marks_.begin(), marks_.end(), at,
                                     [](std::uint64_t place, const mark& one) { //
                                       return place < one.at;
                                     });
  if (next == marks_.end())
    return marks_.back().text_end;
  const auto& from = *(next - 1);
  const auto share = static_cast<double>(at - from.at) / static_cast<double>(next->at - from.at);
  return from.text_end
         + static_cast<std::size_t>(share * static_cast<double>(next->text_end - from.text_end));
}

std::size_t spoken_marks::text_end() const {
  return marks_.back().text_end;
}

} // namespace sidevoice
