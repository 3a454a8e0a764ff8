#include "config/time_zone.hpp"
#include "tests/fuzz/fuzzing.hpp"

#include <limits>

using namespace sidevoice;
using namespace sidevoice::fuzzing;

namespace {

/// More than any zone that a rule can say: 167 hours.
constexpr std::int64_t rule_offset_max = 168 * 3600;

template <class Zone>
void ask(const Zone& zone, std::int64_t offset_max) {
  for (const auto at : {std::int64_t{0}, std::int64_t{1'800'000'000}, std::int64_t{-5'000'000'000},
                        std::int64_t{253'402'300'799}, std::numeric_limits<std::int64_t>::max(),
                        std::numeric_limits<std::int64_t>::min()}) {
    const auto offset = zone.offset_at(at);
    must(offset == zone.offset_at(at), "two answers to one question");
    must(offset <= offset_max && offset >= -offset_max, "an offset that no zone has");
  }
}

} // namespace

/// A file of the zone database, and the text at its end, whatever the disk holds.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto text = text_of(bytes, size);
  if (const auto rule = parse_zone_rule(text))
    ask(*rule, rule_offset_max);
  if (const auto zone = time_zone::parse(text))
    ask(*zone, std::int64_t{1} << 31);
  return 0;
}
