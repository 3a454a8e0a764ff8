#include "config/base64.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace sidevoice;

namespace {

std::string read(std::string_view text, base64_kind kind) {
  const auto bytes = read_base64(text, kind);
  return bytes ? std::string{bytes->begin(), bytes->end()} : "refused";
}

} // namespace

TEST_CASE("base64 is read in both alphabets") {
  CHECK(read("", base64_kind::standard).empty());
  CHECK(read("aGVsbG8=", base64_kind::standard) == "hello");
  CHECK(read("aGVsbG8", base64_kind::url) == "hello");
  CHECK(read("/+8=", base64_kind::standard) == "\xFF\xEF");
  CHECK(read("_-8", base64_kind::url) == "\xFF\xEF");
}

TEST_CASE("bytes have one spelling in base64") {
  for (const auto* text : {"aGVsbG8", "aGVsbG9=", "aGVs bG8=", "_-8=", "aGVsbG8==", "=aGVsbG8"})
    CHECK_MESSAGE(read(text, base64_kind::standard) == "refused", text);
  for (const auto* text : {"aGVsbG8=", "aGVsbG9", "/+8", "aGVsbG8\n"})
    CHECK_MESSAGE(read(text, base64_kind::url) == "refused", text);
  for (int c = 0x80; c <= 0xFF; ++c)
    CHECK(read(std::string{static_cast<char>(c)} + "-8", base64_kind::url) == "refused");
}
