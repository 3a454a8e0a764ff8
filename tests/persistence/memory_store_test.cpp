#include "persistence/stores.hpp"
#include "tests/persistence/samples.hpp"
#include "tests/persistence/store_conformance.hpp"

#include <doctest/doctest.h>

using namespace sidevoice;
using namespace sidevoice::samples;

TEST_CASE("the memory store keeps every rule of a store") {
  check_conformance([] { return make_memory_store(); });
}

TEST_CASE("the memory store has the name it was given") {
  CHECK(make_memory_store("lab")->incarnation() == "lab");
}
