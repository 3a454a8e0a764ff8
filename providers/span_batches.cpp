#include "providers/span_batches.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace sidevoice {

namespace {

using std::chrono::milliseconds;
using what = export_verdict::what;

constexpr unsigned tries_max = 5;
constexpr milliseconds first_pause{1'000};
constexpr milliseconds longest_pause{60'000};

export_verdict again(unsigned tries, milliseconds asked, std::uint64_t random) {
  if (tries >= tries_max)
    return {what::refused, {}};
  const auto pause = asked.count() > 0 ? std::min(asked, longest_pause)
                                       : first_pause * (1U << (tries - 1));
  // Nodes that lost their collector together do not come back together.
  const auto half = static_cast<std::uint64_t>(pause.count() / 2 + 1);
  return {what::again, pause + milliseconds{random % half}};
}

milliseconds asked_pause(const http_head& head) {
  const auto text = head.field("retry-after");
  unsigned seconds = 0;
  const auto [rest, code] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (code != std::errc{} || rest != text.data() + text.size())
    return {};
  return std::chrono::seconds{std::min(seconds, 60U)};
}

} // namespace

bool span_batches::add(span_record span) {
  waiting_.push_back(std::move(span));
  if (waiting_.size() <= how_.queue_max)
    return true;
  waiting_.pop_front();
  return false;
}

std::vector<span_record> span_batches::take() {
  const auto end = waiting_.begin()
                   + static_cast<std::ptrdiff_t>(std::min(how_.batch_max, waiting_.size()));
  std::vector<span_record> batch{std::make_move_iterator(waiting_.begin()),
                                 std::make_move_iterator(end)};
  waiting_.erase(waiting_.begin(), end);
  return batch;
}

export_verdict judge_export(const http_head& head, unsigned tries, std::uint64_t random) {
  if (head.status >= 200 && head.status < 300)
    return {what::taken, {}};
  for (const auto passing : {429U, 502U, 503U, 504U})
    if (head.status == passing)
      return again(tries, asked_pause(head), random);
  return {what::refused, {}};
}

export_verdict judge_export_failure(const error& why, unsigned tries, std::uint64_t random) {
  // An address that is none stays none.
  if (why.reason == "bad_url" || why.reason == "bad_field")
    return {what::refused, {}};
  return again(tries, {}, random);
}

} // namespace sidevoice
