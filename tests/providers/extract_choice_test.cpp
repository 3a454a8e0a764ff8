#include "tests/providers/extract_table.hpp"
#include "tests/providers/moving.hpp"

namespace sidevoice {

namespace {

const auto app = moving::app();
const auto& home = *app->find_topic("home");
const auto& lift = *app->find_topic("lift");
const auto& fragile = *app->find_topic("fragile");
const auto& boxes = *app->find_topic("inventory");

} // namespace

TEST_CASE("a choice is found by its key and its other words") {
  check_phrases(home, false,
                {{"I live in a flat", R"("flat")"},
                 {"It's an APARTMENT.", R"("flat")"},
                 {"one room only", R"("studio")"},
                 {"a small cottage", R"("house")"},
                 {"not a house, a flat", R"("flat")"},
                 {"flats", R"("flat")"},
                 {"a houseboat", ""},
                 {"inflated", ""},
                 {"a house or a flat", ""},
                 {"is it for a house?", ""},
                 {"I don't have a house", ""},
                 {"", ""}});
  check_phrases(home, true,
                {{"flat", R"("flat")"},
                 {"the second one", R"("flat")"},
                 {"the last", R"("house")"},
                 {"house or flat", ""},
                 {"the fifth", ""},
                 {"a tent", ""}});
}

TEST_CASE("yes and no are found by the label's words") {
  check_phrases(lift, false,
                {{"there is a lift", "true"},
                 {"we have an elevator", "true"},
                 {"a flat with lift", "true"},
                 {"no lift", "false"},
                 {"there's no elevator in the building", "false"},
                 {"I don't have a lift", "false"},
                 {"without a lift", "false"},
                 {"is there a lift?", ""},
                 {"yes", ""},
                 {"I like flowers", ""},
                 {"uplifting", ""}});
}

TEST_CASE("yes and no as answers") {
  for (const std::string text : {"yes", "Yes.", "yeah", "yep", "sure", "of course", "there is",
                                 "we do", "Yes, there is one", "certainly", "ok"}) {
    INFO("text: ", text);
    CHECK(extracted(lift, text, true) == "true");
  }
  for (const std::string text : {"no", "No!", "nope", "nah", "not really", "of course not",
                                 "there isn't", "unfortunately not", "we don't", "no, sorry"}) {
    INFO("text: ", text);
    CHECK(extracted(lift, text, true) == "false");
  }
  for (const std::string text : {"maybe", "what do you mean", "the third floor", "Leeds", ""}) {
    INFO("text: ", text);
    CHECK(extracted(lift, text, true).empty());
  }
}

TEST_CASE("a text list is cut into its entries") {
  check_phrases(fragile, true,
                {{"a big mirror, two vases and a piano", R"(["big mirror","two vases","piano"])"},
                 {"We have a piano.", R"(["piano"])"},
                 {"glasses; plates; a lamp", R"(["glasses","plates","lamp"])"},
                 {"mirror\nvase", R"(["mirror","vase"])"},
                 {"piano, piano", R"(["piano"])"}});
  check_phrases(fragile, false,
                {{"my fragile things are a mirror and a vase", R"(["mirror","vase"])"},
                 {"a mirror and a vase", ""},
                 {"are there fragile things?", ""}});
}

TEST_CASE("a plain text takes the whole answer") {
  const auto note = moving::topic("note", topic_type::text, "Remarks");
  check_phrases(note, true,
                {{"  Please ring twice, and be quiet. ", R"("Please ring twice, and be quiet.")"},
                 {"", ""}});
  check_phrases(note, false, {{"remarks: ring twice", R"("ring twice")"}, {"ring twice", ""}});
}

TEST_CASE("counts by name fill an object") {
  check_phrases(boxes, true,
                {{"3 boxes in the kitchen, 2 in the bedroom", R"({"bedroom":2,"kitchen":3})"},
                 {"kitchen: 3, bedroom: 2", R"({"bedroom":2,"kitchen":3})"},
                 {"three in the living room and one in the hall", R"({"hall":1,"living room":3})"},
                 {"the kitchen has 4", R"({"kitchen":4})"},
                 {"3 kitchen, 2 bath", R"({"bath":2,"kitchen":3})"},
                 {R"({"kitchen": 5})", R"({"kitchen":5})"},
                 {"lots of them", ""},
                 {"", ""}});
  check_phrases(boxes, false,
                {{"We have 3 boxes in the kitchen", R"({"kitchen":3})"},
                 {"3 people in the kitchen", ""}});
}

TEST_CASE("an object that names its keys takes only those") {
  auto pets = boxes;
  pets.label = "Pets";
  pets.schema =
    R"({"type":"object","properties":{"cats":{"type":"integer"},"dogs":{"type":"integer"}},
                    "additionalProperties":false})";
  check_phrases(pets, true,
                {{"2 cats and a couple of dogs", R"({"cats":2,"dogs":2})"}, {"3 horses", ""}});
}

} // namespace sidevoice
