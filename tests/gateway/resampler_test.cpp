#include "gateway/resampler.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <numbers>
#include <stdexcept>
#include <utility>

using namespace sidevoice;

namespace {

samples tone(double hertz, std::uint32_t rate, std::size_t count, double size = 10'000) {
  samples data(count);
  for (std::size_t i = 0; i < count; ++i)
    data[i] = static_cast<std::int16_t>(
      size * std::sin(2 * std::numbers::pi * hertz * static_cast<double>(i) / rate));
  return data;
}

/// Root of the mean square, without the first 10 ms.
double level(const samples& data, std::uint32_t rate) {
  double sum = 0;
  const std::size_t skip = rate / 100;
  REQUIRE(data.size() > skip);
  for (std::size_t i = skip; i < data.size(); ++i)
    sum += double{1} * data[i] * data[i];
  return std::sqrt(sum / static_cast<double>(data.size() - skip));
}

samples convert(const samples& in, std::uint32_t from, std::uint32_t to, std::size_t piece) {
  resampler one{from, to};
  samples out;
  for (samples_view rest{in}; !rest.empty();) {
    const auto some = rest.first(std::min(rest.size(), piece));
    one.push(some, out);
    rest = rest.subspan(some.size());
  }
  return out;
}

constexpr std::array<std::uint32_t, 6> rates{8000, 16'000, 22'050, 24'000, 44'100, 48'000};

} // namespace

TEST_CASE("equal rates copy") {
  resampler same{16'000, 16'000};
  samples out{7};
  same.push(samples{1, -2, 32767}, out);
  CHECK(out == samples{7, 1, -2, 32767});
  same.reset();
  same.push({}, out);
  CHECK(out.size() == 4);
}

TEST_CASE("between any two rates a tone keeps its level and its length") {
  for (const auto from : rates)
    for (const auto to : rates) {
      CAPTURE(from);
      CAPTURE(to);
      const auto in = tone(1000, from, from);
      const auto out = convert(in, from, to, from / 50);
      CHECK(std::llabs(static_cast<long long>(out.size()) - to) <= to / 100);
      CHECK(level(out, to) == doctest::Approx(level(in, from)).epsilon(0.03));
    }
}

TEST_CASE("what the lower rate cannot hold does not come back as another tone") {
  // 10 kHz at 24 kHz would be heard as 6 kHz at 16 kHz.
  const auto loud = tone(10'000, 24'000, 24'000);
  CHECK(level(convert(loud, 24'000, 16'000, 480), 16'000) < level(loud, 24'000) / 50);
  const auto higher = tone(20'000, 48'000, 48'000);
  CHECK(level(convert(higher, 48'000, 16'000, 960), 16'000) < level(higher, 48'000) / 50);
}

TEST_CASE("what comes out does not depend on the pieces that go in") {
  const auto in = tone(440, 24'000, 24'000);
  const auto whole = convert(in, 24'000, 16'000, in.size());
  for (const std::size_t piece : {1, 7, 480, 5000})
    CHECK(convert(in, 24'000, 16'000, piece) == whole);
  CHECK(std::llabs(static_cast<long long>(whole.size()) - 16'000) <= 1);
}

TEST_CASE("over minutes not a sample is lost or made up") {
  resampler one{24'000, 16'000};
  const samples piece(480, 100);
  std::size_t count = 0;
  for (int i = 0; i < 3 * 60 * 50; ++i) {
    samples out;
    one.push(piece, out);
    count += out.size();
  }
  CHECK(std::llabs(static_cast<long long>(count) - 3 * 60 * 16'000) <= 1);
}

TEST_CASE("clipping stays in range and keeps its sign") {
  samples square(24'000);
  for (std::size_t i = 0; i < square.size(); ++i)
    square[i] = i / 60 % 2 == 0 ? 32767 : -32768;
  const auto out = convert(square, 24'000, 16'000, 2400);
  // In the middle of each half wave.
  for (std::size_t half = 10; half < 390; ++half) {
    const auto one = out[half * 40 + 20 + 24];
    CHECK_MESSAGE((half % 2 == 0 ? one > 25'000 : one < -25'000), half);
  }
}

TEST_CASE("after a reset nothing of the past is heard") {
  resampler one{24'000, 16'000};
  samples out;
  one.push(tone(440, 24'000, 2400), out);
  one.reset();
  out.clear();
  one.push(samples(2400, 0), out);
  CHECK(out == samples(out.size(), 0));
  CHECK(out.size() >= 1590);
}

TEST_CASE("it can be moved, and knows no rate of zero") {
  resampler one{8000, 16'000};
  auto other = std::move(one);
  samples out;
  other.push(samples(160, 0), out);
  CHECK(out.size() >= 300);
  CHECK_THROWS_AS(resampler(0, 16'000), std::invalid_argument);
  CHECK_THROWS_AS(resampler(16'000, 0), std::invalid_argument);
}
