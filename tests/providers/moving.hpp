#pragma once

#include "providers/llm.hpp"
#include "tests/support/hand_loop.hpp"

#include <memory>
#include <string>

/// The example app "moving" as a struct, and its day: Monday, 1 March 2027.
namespace sidevoice::moving {

inline constexpr std::int64_t today_ms = hand_loop::first_wall.count() * 1000;

inline topic_declaration topic(std::string id, topic_type type, std::string label,
                               bool required = false) {
  topic_declaration t;
  t.id = std::move(id);
  t.type = type;
  t.label = std::move(label);
  t.required = required;
  return t;
}

inline std::shared_ptr<app_definition> app() {
  auto a = std::make_shared<app_definition>();
  a->id = "moving";
  a->title = "Happy Removals: your quote";
  a->greeting = "Hello! Where are you moving from, and when?";
  a->complete_say = "That is all I need, thank you!";
  a->complete_summary = true;
  a->topics.push_back(topic("name", topic_type::person_name, "Your name", true));
  a->topics.push_back(topic("from", topic_type::address, "Moving from", true));
  a->topics.push_back(topic("to", topic_type::address, "Moving to", true));
  a->topics.push_back(topic("date", topic_type::date, "Moving day", true));
  a->topics.back().min_today = true;
  a->topics.back().ask = "Which day suits you? A week is enough for now.";
  a->topics.push_back(topic("home", topic_type::choice, "Home", true));
  a->topics.back().choices = {{"studio", {"one room", "bedsit"}},
                              {"flat", {"apartment"}},
                              {"house", {"cottage"}}};
  a->topics.push_back(topic("floor", topic_type::integer, "Floor"));
  a->topics.back().min = 0;
  a->topics.back().max = 60;
  a->topics.back().when = {{"home", {R"("studio")", R"("flat")"}, {}, {}}};
  a->topics.push_back(topic("lift", topic_type::yes_no, "Lift?"));
  a->topics.back().when = {{"floor", {}, 1.0, {}}};
  a->topics.push_back(topic("fragile", topic_type::text, "Fragile things"));
  a->topics.back().list = true;
  a->topics.back().after = {"home"};
  a->topics.push_back(topic("budget", topic_type::money, "Budget"));
  a->topics.back().currency = "EUR";
  a->topics.push_back(topic("email", topic_type::email, "E-mail", true));
  a->topics.back().after = {"date"};
  a->topics.back().confirm = topic_confirm::read_back;
  a->topics.back().sensitive = true;
  a->topics.push_back(topic("inventory", topic_type::object, "Boxes by room"));
  a->topics.back().schema =
    R"({"type":"object","additionalProperties":{"type":"integer","minimum":0}})";
  return a;
}

} // namespace sidevoice::moving
