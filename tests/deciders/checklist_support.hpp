#pragma once

#include "actors/checklist.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// boost prints the value of a result, which has no text.
template <class T>
struct doctest::StringMaker<sidevoice::result<T>> {
  static String convert(const sidevoice::result<T>& outcome) {
    return outcome ? "a value" : ("error: " + outcome.error().detail).c_str();
  }
};

/// An app with a chain of conditions and every kind of confirmation, and a session to drive.
namespace sidevoice::deciders_test {

inline constexpr calendar_day today{2027, 3, 1};

/// home -> floor -> lift; date is a person's to confirm, email is read back, fragile comes after
/// home, note may be skipped.
inline app_definition moving_app() {
  app_definition app;
  app.id = "moving";
  const auto topic = [&app](topic_declaration declared) {
    app.topics.push_back(std::move(declared));
  };
  topic({.id = "name", .type = topic_type::person_name, .label = "Your name", .required = true});
  topic({.id = "date",
         .type = topic_type::date,
         .label = "Moving day",
         .required = true,
         .min_today = true,
         .confirm = topic_confirm::person});
  topic({.id = "home",
         .type = topic_type::choice,
         .label = "Home",
         .required = true,
         .choices = {{"studio", {"bedsit"}}, {"flat", {"apartment"}}, {"house", {"cottage"}}}});
  topic({.id = "floor",
         .type = topic_type::integer,
         .label = "Floor",
         .min = 0,
         .max = 60,
         .when = {{.topic = "home", .any_of = {R"("studio")", R"("flat")"}}}});
  topic({.id = "lift",
         .type = topic_type::yes_no,
         .label = "Lift?",
         .required = true,
         .when = {{.topic = "floor", .min = 1}}});
  topic({.id = "note", .label = "A note", .after = {"email"}});
  topic({.id = "email",
         .type = topic_type::email,
         .label = "E-mail",
         .required = true,
         .confirm = topic_confirm::read_back});
  return app;
}

/// A session in memory: judges, applies what comes out, and checks that it fits.
class checklist_session {
public:
  explicit checklist_session(app_definition definition = moving_app())
      : app(std::move(definition)) {
    push(
      session_started{.app = app.id, .user = "u", .release = "r", .locale = "en", .zone = "UTC"});
    take(begin_checklist(app, view));
  }

  /// Adds a user message; returns its id.
  std::string says(const std::string& text, item_role role = item_role::user) {
    auto id = "item_" + std::to_string(view.head + 1);
    push(item_put{.rank = std::to_string(100'000 + view.head),
                  .value = {.id = id, .role = role, .text = text}});
    return id;
  }

  /// One proposal with the whole of a new message as its proof.
  checklist_changes hears(const std::string& topic, const json_text& value,
                          topic_status status = topic_status::answered) {
    const auto text = topic + " " + value;
    const auto item = says(text);
    return proposes({{topic, status, value, {item, text, 0.9}}});
  }

  checklist_changes proposes(std::vector<proposed_topic> topics) {
    return proposes(std::move(topics), view.head);
  }

  checklist_changes proposes(std::vector<proposed_topic> topics, std::uint64_t head_read) {
    return take(
      judge_proposals(app, view, {.head_read = head_read, .topics = std::move(topics)}, today));
  }

  result<checklist_changes> edits(const std::string& topic, std::optional<json_text> value,
                                  std::optional<topic_status> status = {}) {
    return edits_at(topic, std::move(value), status, view.topic(topic).revision);
  }

  result<checklist_changes> edits_at(const std::string& topic, std::optional<json_text> value,
                                     std::optional<topic_status> status, std::uint64_t revision) {
    auto changes =
      judge_edit(app, view,
                 {"edit_" + std::to_string(view.head), topic, std::move(value), status, revision},
                 today);
    if (changes)
      take(*changes);
    return changes;
  }

  result<checklist_changes> undoes() {
    auto changes = judge_undo(app, view, {"undo_" + std::to_string(view.head)});
    if (changes)
      take(*changes);
    return changes;
  }

  [[nodiscard]] topic_state topic(const std::string& id) const {
    return view.topic(id);
  }

  app_definition app;
  session_view view;

private:
  checklist_changes take(checklist_changes changes) {
    for (const auto& body : changes.events) {
      if (const auto* change = std::get_if<topic_updated>(&body))
        REQUIRE(change->revision == view.revision + 1);
      push(body);
    }
    return changes;
  }

  void push(event_body body) {
    REQUIRE(apply(view, event{.seq = view.head + 1, .at = 0, .body = std::move(body)}).has_value());
  }
};

/// The events as short words: "home=\"flat\" answered by analyzer", "completed 4".
inline std::vector<std::string> words_of(const checklist_changes& changes) {
  std::vector<std::string> words;
  for (const auto& body : changes.events) {
    if (const auto* topic = std::get_if<topic_updated>(&body))
      words.push_back(topic->topic + (topic->value.empty() ? "" : "=" + topic->value) + " "
                      + to_string(topic->status) + " by " + to_string(topic->by));
    else if (const auto* done = std::get_if<session_completed>(&body))
      words.push_back("completed " + std::to_string(done->revision));
    else if (const auto* again = std::get_if<session_reopened>(&body))
      words.push_back("reopened " + std::to_string(again->revision));
    else
      words.emplace_back(type_of(body));
  }
  return words;
}

using words = std::vector<std::string>;

} // namespace sidevoice::deciders_test
