#include "actors/answer_gate.hpp"

#include <doctest/doctest.h>

using namespace sidevoice;

namespace {

answer_delta piece(std::uint32_t n, std::uint32_t clause, const std::string& text) {
  return {"resp_1", 1, "item_1", n, clause, text};
}

answer_gate opened() {
  answer_gate gate;
  gate.open("resp_1", 1, "item_1");
  return gate;
}

std::string text_of(const std::vector<answer_delta>& pieces) {
  std::string all;
  for (const auto& p : pieces)
    all += p.text;
  return all;
}

} // namespace

TEST_CASE("nothing of an answer leaves before its start is durable") {
  auto gate = opened();
  CHECK(gate.on_delta(piece(1, 1, "Hello. ")).pieces.empty());
  CHECK(gate.heard().empty());
  CHECK(text_of(gate.on_started().pieces) == "Hello. ");
  CHECK(gate.heard() == "Hello. ");
}

TEST_CASE("a clause is journaled when the next begins, and the next waits until it is durable") {
  auto gate = opened();
  gate.on_started();
  CHECK(text_of(gate.on_delta(piece(1, 1, "One")).pieces) == "One");
  CHECK(text_of(gate.on_delta(piece(2, 1, ". ")).pieces) == ". ");
  const auto second = gate.on_delta(piece(3, 2, "Two. "));
  CHECK(second.pieces.empty());
  REQUIRE(second.clauses.size() == 1);
  CHECK(std::get<response_spoken>(second.clauses.front())
        == response_spoken{"resp_1", 1, 1, "One. "});
  CHECK(gate.on_delta(piece(4, 3, "Three.")).clauses.empty());
  const auto third = gate.on_spoken(1);
  CHECK(text_of(third.pieces) == "Two. ");
  REQUIRE(third.clauses.size() == 1);
  CHECK(std::get<response_spoken>(third.clauses.front()).clause == 2);
  CHECK(gate.held() == "Three.");
  CHECK(text_of(gate.on_spoken(2).pieces) == "Three.");
}

TEST_CASE("what is held leaves when the end is durable, once") {
  auto gate = opened();
  gate.on_started();
  gate.on_delta(piece(1, 1, "One. "));
  gate.on_delta(piece(2, 2, "Two."));
  CHECK(gate.heard() == "One. ");
  CHECK(text_of(gate.finish()) == "Two.");
  CHECK_FALSE(gate.is_open());
  CHECK(gate.finish().empty());
}

TEST_CASE("a closed gate lets nothing through, and knows what was heard") {
  auto gate = opened();
  gate.on_started();
  gate.on_delta(piece(1, 1, "One. "));
  gate.on_delta(piece(2, 2, "Two."));
  gate.close();
  CHECK(gate.on_spoken(1).pieces.empty());
  CHECK_FALSE(gate.is_run("item_1"));
  CHECK(gate.heard() == "One. ");
}

TEST_CASE("pieces of a run whose start was refused are not those of the run that repeats it") {
  auto gate = opened();
  gate.open("resp_1", 1, "item_2");
  CHECK_FALSE(gate.is_run("item_1"));
  CHECK(gate.is_run("item_2"));
}

TEST_CASE("whoever attaches in the middle gets the answer so far") {
  auto gate = opened();
  CHECK_FALSE(gate.so_far());
  gate.on_started();
  gate.on_delta(piece(1, 1, "One"));
  gate.on_delta(piece(2, 1, "."));
  const auto open = gate.so_far();
  REQUIRE(open);
  CHECK(open->n == 2);
  CHECK(open->text == "One.");
  CHECK(open->item == "item_1");
}
