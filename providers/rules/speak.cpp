#include "providers/rules/speak.hpp"

#include "config/topic_value.hpp"
#include "providers/rules/words.hpp"

#include <algorithm>

namespace sidevoice::rules {

namespace {

bool starts_with(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

std::string with_article(const std::string& noun) {
  if (noun.size() > 2 && noun.back() == 's' && noun[noun.size() - 2] != 's')
    return noun;
  return (std::string_view{"aeiou"}.find(noun.front()) != std::string_view::npos ? "an " : "a ")
         + noun;
}

/// "the moving day", "your name"
std::string definite(const std::string& label) {
  return starts_with(label, "your ") || starts_with(label, "the ") ? label : "your " + label;
}

std::vector<std::string> choice_names(const topic_declaration& topic) {
  std::vector<std::string> names;
  for (const auto& c : topic.choices) {
    names.push_back(c.value);
    std::replace(names.back().begin(), names.back().end(), '_', ' ');
  }
  return names;
}

std::string address_question(const std::string& label) {
  const utterance u{label};
  const auto ing = u.size() > 1 && u.at(0).lower.size() > 4
                   && u.at(0).lower.substr(u.at(0).lower.size() - 3) == "ing";
  if (ing && u.at(u.size() - 1).is_any({"from", "to", "in", "at"}))
    return "Where are you " + label + "?";
  if (label.find("address") != std::string::npos)
    return "What is " + definite(label) + "?";
  return "What is the address for " + label + "?";
}

std::string integer_question(const std::string& label) {
  if (starts_with(label, "how many"))
    return "May I ask " + label + "?";
  if (label == "floor" || label == "storey" || label == "level")
    return "Which " + label + " is it on?";
  if (starts_with(label, "number of "))
    return "What is the " + label + "?";
  if (label.size() > 2 && label.back() == 's' && label.find(' ') == std::string::npos)
    return "How many " + label + "?";
  return "What number should I put down for " + label + "?";
}

std::string yes_no_question(const topic_declaration& topic, const std::string& label) {
  const bool sentence = topic.label.find(' ') != std::string::npos && !topic.label.empty()
                        && topic.label.back() == '?';
  if (sentence)
    return topic.label;
  if (label.find(' ') == std::string::npos)
    return (label.back() == 's' && label.size() > 3 ? "Are there " : "Is there ")
           + with_article(label) + "?";
  return "Yes or no: " + label + "?";
}

/// The question where the app has none.
std::string made_question(const topic_declaration& topic) {
  const auto label = label_within(topic);
  switch (topic.type) {
    case topic_type::person_name:
      return "What is " + definite(label) + "?";
    case topic_type::address:
      return address_question(label);
    case topic_type::date:
      return starts_with(label, "your ") ? "When is " + label + "?" : "When is the " + label + "?";
    case topic_type::choice:
      return "Which one is it for " + label + ": " + enumerated(choice_names(topic), "or") + "?";
    case topic_type::integer:
      return integer_question(label);
    case topic_type::yes_no:
      return yes_no_question(topic, label);
    case topic_type::money:
      return "What is " + definite(label) + "?";
    case topic_type::email:
      return label == "e-mail" || label == "email" ? "What is your e-mail address?"
                                                   : "What is " + definite(label) + "?";
    case topic_type::text:
      return topic.list ? "Which " + label + " should I put down?"
                        : "What should I put down for " + label + "?";
    case topic_type::object:
      break;
  }
  return "What should I put down for " + label + "?";
}

/// Words of the last question, or of the last sentence where nothing is a question.
std::string last_question(std::string_view said) {
  const utterance u{said.size() > 1500 ? said.substr(said.size() - 1500) : said};
  auto end = u.size();
  while (end > 0 && !u.at(end - 1).is("?"))
    --end;
  if (end == 0)
    return {};
  auto first = end - 1;
  while (first > 0 && !u.at(first - 1).is_any({".", "!", "\n"}))
    --first;
  return u.slice(first, end);
}

bool asks_for_type(const utterance& q, topic_type type) {
  switch (type) {
    case topic_type::date:
      return q.has_phrase({"when", "which day", "what day", "what date", "which date"});
    case topic_type::address:
      return q.has_phrase({"where", "address", "which town", "which city"});
    case topic_type::person_name:
      return q.has_phrase({"your name", "who am i", "who is"});
    case topic_type::email:
      return q.has_phrase({"e-mail", "email", "mail address"});
    case topic_type::money:
      return q.has_phrase({"how much", "budget", "what price"});
    case topic_type::integer:
      return q.has_phrase({"how many", "which", "what"});
    default:
      return false;
  }
}

/// How surely another model's question asks for the topic; 0 for not at all.
double likeness(const utterance& question, const topic_declaration& topic) {
  const auto words = topic_words(topic);
  const auto hits = std::count_if(words.begin(), words.end(), [&](const auto& w) {
    return std::any_of(question.tokens.begin(), question.tokens.end(),
                       [&](const token& t) { return same_word(w, t.lower); });
  });
  const double share =
    words.empty() ? 0 : static_cast<double>(hits) / static_cast<double>(words.size());
  const bool typed = asks_for_type(question, topic.type);
  if (typed
      && (share > 0 || topic.type == topic_type::email || topic.type == topic_type::person_name))
    return 1 + share;
  return share >= 0.99 ? share : 0;
}

std::vector<asked_topic> asked_by_likeness(const std::vector<const topic_declaration*>& topics,
                                           std::string_view said) {
  const utterance question{last_question(said)};
  std::vector<std::pair<double, const topic_declaration*>> ranked;
  for (const auto* topic : topics)
    if (const auto score = question.size() == 0 ? 0 : likeness(question, *topic); score > 0)
      ranked.emplace_back(score, topic);
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<asked_topic> out;
  for (const auto& [_, topic] : ranked)
    if (std::none_of(out.begin(), out.end(),
                     [t = topic](const auto& a) { return a.topic->type == t->type; }))
      out.push_back({topic, step::ask});
  return out;
}

} // namespace

std::string label_of(const topic_declaration& topic) {
  auto label = topic.label.empty() ? topic.id : topic.label;
  while (!label.empty() && (label.back() == '?' || label.back() == ':' || label.back() == ' '))
    label.pop_back();
  if (topic.label.empty())
    std::replace(label.begin(), label.end(), '_', ' ');
  return label.empty() ? "this" : label;
}

std::string label_within(const topic_declaration& topic) {
  auto label = label_of(topic);
  const bool word = label.size() > 1 && !(label[1] >= 'A' && label[1] <= 'Z');
  if (word && label[0] >= 'A' && label[0] <= 'Z')
    label[0] = static_cast<char>(label[0] - 'A' + 'a');
  return label;
}

std::vector<std::string> questions(const topic_declaration& topic) {
  const auto label = label_within(topic);
  const auto made = made_question(topic);
  std::vector<std::string> out;
  if (!topic.ask.empty())
    out.push_back(topic.ask);
  if (topic.ask != made)
    out.push_back(made);
  out.push_back("Could you tell me this one: " + label + "?");
  out.push_back("So, once more: what may I write for " + label + "?");
  return out;
}

std::string expectation(const topic_declaration& topic) {
  switch (topic.type) {
    case topic_type::person_name:
      return "A name such as Ada Lovelace will do.";
    case topic_type::address:
      return "A street and a town will do, such as 12 Mill Lane, Oxford.";
    case topic_type::date:
      return "A day will do, such as 12 March, next Friday or in two weeks.";
    case topic_type::choice:
      return "Please say one of these: " + enumerated(choice_names(topic), "or") + ".";
    case topic_type::integer:
      if (topic.min && topic.max)
        return "A whole number from " + std::to_string(static_cast<long long>(*topic.min)) + " to "
               + std::to_string(static_cast<long long>(*topic.max)) + " will do.";
      return "A whole number will do, such as 3.";
    case topic_type::yes_no:
      return "A yes or a no will do.";
    case topic_type::money:
      return "An amount will do, such as 1,200"
             + (topic.currency.empty() ? "" : " " + topic.currency) + ".";
    case topic_type::email:
      return "An address such as ada@example.org will do.";
    case topic_type::text:
      return topic.list ? "A list in your own words will do, with commas between the entries."
                        : "A few words of your own will do.";
    case topic_type::object:
      break;
  }
  return "For example: 3 in the kitchen, 2 in the bedroom.";
}

std::vector<std::string> read_backs(const topic_declaration& topic, const json_text& value) {
  const auto shown = display_topic_value(topic, value);
  const auto label = label_of(topic);
  return {"I have " + shown + " for " + label + ". Is that right?",
          "Let me check: I have written " + shown + " for " + label + ". Is that correct?",
          "Please say yes or no: is " + shown + " right for " + label + "?"};
}

std::vector<std::string> contradictions(const topic_declaration& topic, const json_text& value) {
  const auto shown = value.empty() || value == "null" ? "nothing"
                                                      : display_topic_value(topic, value);
  const auto label = label_of(topic);
  return {"There are two answers about " + label + ", and I have kept " + shown
            + ". Is it still good, or what should it be?",
          "About " + label + ": I hold " + shown
            + ", but you have said otherwise. Which one is it?"};
}

question_book::question_book(const board& topics) {
  const auto add = [&](const topic_declaration& topic, step kind, std::string text) {
    if (!text.empty())
      forms_.push_back({std::move(text), {&topic, kind}});
  };
  for (const auto& t : topics.topics()) {
    const auto& topic = *t.topic;
    const auto label = label_of(topic);
    topics_.push_back(&topic);
    for (auto& q : questions(topic))
      add(topic, step::ask, std::move(q));
    add(topic, step::read_back, " for " + label + ". Is that right?");
    add(topic, step::read_back, " for " + label + ". Is that correct?");
    add(topic, step::read_back, " right for " + label + "?");
    // The value within may have changed since: the beginning is enough.
    add(topic, step::contradicted, "There are two answers about " + label + ", ");
    add(topic, step::contradicted, "About " + label + ": I hold ");
  }
}

std::vector<asked_topic> question_book::find(std::string_view said) const {
  // Questions stand at the end of what is said.
  constexpr std::size_t read_bytes = 4000;
  if (said.size() > read_bytes)
    said = said.substr(said.size() - read_bytes);
  const form* best = nullptr;
  std::size_t best_end = 0;
  for (const auto& f : forms_) {
    const auto at = said.rfind(f.text);
    if (at == std::string_view::npos)
      continue;
    const auto end = at + f.text.size();
    if (best == nullptr || end > best_end
        || (end == best_end && f.text.size() > best->text.size())) {
      best = &f;
      best_end = end;
    }
  }
  if (best != nullptr)
    return {best->asks};
  return asked_by_likeness(topics_, said);
}

std::uint64_t seed_of(std::string_view id) {
  std::uint64_t h = 1469598103934665603ULL;
  for (const auto c : id)
    h = (h ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return h ^ (h >> 29U);
}

std::string choose(const std::vector<std::string>& variants, std::uint64_t seed,
                   std::string_view said) {
  if (variants.empty())
    return {};
  for (std::size_t i = 0; i < variants.size(); ++i) {
    const auto& v = variants[(seed + i) % variants.size()];
    if (said.find(v) == std::string_view::npos)
      return v;
  }
  return variants[seed % variants.size()];
}

std::string enumerated(const std::vector<std::string>& parts, std::string_view last) {
  std::string out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0)
      out += i + 1 == parts.size() ? " " + std::string{last} + " " : ", ";
    out += parts[i];
  }
  return out;
}

} // namespace sidevoice::rules
