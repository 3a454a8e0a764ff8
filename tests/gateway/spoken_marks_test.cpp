#include "gateway/spoken_marks.hpp"

#include <doctest/doctest.h>

namespace sidevoice {

TEST_CASE("between two marks the text is spoken in proportion") {
  spoken_marks marks;
  marks.add(20, 1000);
  CHECK(marks.text_at(0) == 0);
  CHECK(marks.text_at(500) == 10);
  CHECK(marks.text_at(1000) == 20);
  CHECK(marks.text_at(9000) == 20);
}

TEST_CASE("a mark at the sample of the one before takes its place") {
  // Sound of a clause whose end comes after it, alone.
  spoken_marks marks;
  marks.add(0, 1000);
  CHECK(marks.text_at(500) == 0);
  marks.add(20, 1000);
  CHECK(marks.text_at(500) == 10);
  marks.add(20, 2000);
  marks.add(26, 2000);
  marks.add(40, 2000);
  CHECK(marks.text_at(1500) == 30);
  CHECK(marks.text_end() == 40);
}

TEST_CASE("guesses within a clause stay where its end is known") {
  spoken_marks marks;
  marks.add(5, 500);
  marks.add(11, 1000);
  marks.add(20, 1000);
  CHECK(marks.text_at(250) == 2);
  CHECK(marks.text_at(500) == 5);
  CHECK(marks.text_at(1000) == 20);
}

TEST_CASE("what is cut off was not spoken") {
  spoken_marks marks;
  marks.add(20, 1000);
  marks.cut(500);
  CHECK(marks.text_end() == 10);
  CHECK(marks.text_at(5000) == 10);
}

} // namespace sidevoice
