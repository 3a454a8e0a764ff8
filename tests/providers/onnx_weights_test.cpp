#include "providers/speech/onnx_weights.hpp"

#include <doctest/doctest.h>

namespace sidevoice {

namespace {

using namespace std::string_literals;

std::string number(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7)
    out += static_cast<char>(value | 0x80);
  return out + static_cast<char>(value);
}

std::string number_field(std::uint64_t which, std::uint64_t value) {
  return number(which << 3) + number(value);
}

std::string bytes_field(std::uint64_t which, const std::string& bytes) {
  return number(which << 3 | 2) + number(bytes.size()) + bytes;
}

/// 1.5 and -2 as the file has them.
const auto two_floats = "\x00\x00\xc0\x3f\x00\x00\x00\xc0"s;

std::string tensor(const std::string& shape, const std::string& raw = two_floats,
                   std::uint64_t type = 1, const std::string& name = "w") {
  return bytes_field(5, shape + number_field(2, type) + bytes_field(8, name) + bytes_field(9, raw));
}

std::string model(const std::string& graph) {
  return number_field(1, 8) + bytes_field(2, "maker") + bytes_field(7, graph);
}

bool is_refused(const std::string& bytes) {
  const auto got = read_onnx_weights(bytes);
  if (got.has_value())
    return false;
  CHECK(got.error().code == errc::damaged);
  CHECK_FALSE(got.error().detail.empty());
  return true;
}

} // namespace

TEST_CASE("a network's constants are read by name, with shape and values") {
  for (const auto& shape :
       {number_field(1, 2) + number_field(1, 1), bytes_field(1, number(2) + number(1))}) {
    const auto got = read_onnx_weights(model(bytes_field(1, "a node") + tensor(shape)));
    REQUIRE(got.has_value());
    REQUIRE(got->size() == 1);
    CHECK(got->at("w").shape == std::vector<std::uint64_t>{2, 1});
    CHECK(got->at("w").values == std::vector<float>{1.5F, -2.0F});
  }
}

TEST_CASE("constants that are not float32 are left out, and unknown fields do not matter") {
  const auto later = number(100 << 3 | 5) + "abcd" + number(101 << 3 | 1) + "abcdefgh";
  const auto got =
    read_onnx_weights(model(tensor(number_field(1, 2), two_floats, 7) + later) + later);
  REQUIRE(got.has_value());
  CHECK(got->empty());
}

TEST_CASE("a shape that does not fit its bytes is refused, whatever its product overflows to") {
  CHECK(is_refused(model(tensor(number_field(1, 3)))));
  CHECK(is_refused(model(tensor(number_field(1, 1)))));
  CHECK(is_refused(model(tensor(number_field(1, 0)))));
  CHECK(is_refused(model(tensor(number_field(1, ~0ULL)))));
  // 2^63 * 4 = 2 modulo 2^64 plus two: both orders.
  CHECK(is_refused(model(tensor(number_field(1, 1ULL << 63) + number_field(1, 4)))));
  CHECK(is_refused(model(tensor(number_field(1, 2) + number_field(1, (1ULL << 63) + 1)))));
  CHECK(is_refused(model(tensor(number_field(1, 2), two_floats.substr(1)))));
  std::string deep;
  for (int i = 0; i < 9; ++i)
    deep += number_field(1, i == 0 ? 2 : 1);
  CHECK(is_refused(model(tensor(deep))));
}

TEST_CASE("a constant that is there twice is refused") {
  CHECK(is_refused(model(tensor(number_field(1, 2)) + tensor(number_field(1, 2)))));
}

TEST_CASE("what is cut off, or is no message at all, is refused") {
  CHECK(is_refused(""));
  CHECK(is_refused("a text file\n"));
  CHECK(is_refused(number_field(1, 8)));
  CHECK(is_refused(std::string(20, '\xff')));
  CHECK(is_refused(number(7 << 3 | 2) + number(~0ULL) + "abc"));
  CHECK(is_refused(number(7 << 3 | 3) + number(7 << 3 | 4)));
  const auto whole = model(tensor(number_field(1, 2)));
  REQUIRE_FALSE(is_refused(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK(is_refused(whole.substr(0, size)));
  }
}

} // namespace sidevoice
