#include "providers/rules/acknowledge.hpp"

#include "config/topic_value.hpp"
#include "providers/rules/words.hpp"

#include <algorithm>

namespace sidevoice::rules {

namespace {

/// Longer values are in the checklist; repeating them tires.
constexpr std::size_t shown_bytes = 120;

std::string shown(const change& c) {
  const auto text = display_topic_value(*c.topic, c.value);
  return text.size() <= shown_bytes ? text : std::string{cut(text, shown_bytes)} + "…";
}

struct news {
  std::vector<std::string> noted;
  std::vector<std::string> changed;
  std::vector<std::string> skipped;
  std::vector<std::string> confirmed;
  bool opened = false;
  /// The name, where nothing else is new.
  std::string name;
};

news news_in(const board& now, const std::vector<const message_reading*>& fresh) {
  std::vector<const change*> net;
  for (const auto* m : fresh)
    for (const auto& c : m->changes) {
      std::erase_if(net, [&](const auto* earlier) { return earlier->topic == c.topic; });
      net.push_back(&c);
    }
  news out;
  for (const auto* c : net) {
    const auto label = label_within(*c->topic);
    const auto* t = now.find(c->topic->id);
    if (c->status == "skipped") {
      out.skipped.push_back(label);
    } else if (c->status == "open") {
      out.opened = true;
    } else if (c->status == "confirmed") {
      out.confirmed.push_back(label);
    } else if (t != nullptr && now.step_of(*t) == step::read_back) {
      // It is read back in a moment.
    } else if (c->is_correction) {
      out.changed.push_back(label + ": " + shown(*c));
    } else {
      out.noted.push_back(label + ": " + shown(*c));
      if (c->topic->type == topic_type::person_name && !c->topic->list)
        out.name = shown(*c);
    }
  }
  return out;
}

std::string joined(const std::vector<std::string>& parts, std::string_view mark) {
  std::string out;
  for (const auto& p : parts)
    out += (out.empty() ? "" : std::string{mark}) + p;
  return out;
}

} // namespace

std::string acknowledgement(const board& now, const std::vector<const message_reading*>& fresh,
                            std::uint64_t seed, std::string_view said) {
  const auto n = news_in(now, fresh);
  std::vector<std::string> parts;
  if (n.opened)
    parts.push_back(
      choose({"Sorry about that.", "Then I have it wrong.", "My mistake."}, seed, said));
  if (!n.confirmed.empty())
    parts.push_back(choose({"Good, " + enumerated(n.confirmed)
                              + (n.confirmed.size() > 1 ? " are" : " is") + " confirmed.",
                            "Thanks for checking " + enumerated(n.confirmed) + "."},
                           seed, said));
  if (const auto changed = joined(n.changed, "; "); !changed.empty())
    parts.push_back(choose({"Corrected, " + changed + ".", "I have changed this, " + changed + ".",
                            "All right, it is now " + changed + "."},
                           seed, said));
  if (n.noted.size() == 1 && !n.name.empty())
    parts.push_back(
      choose({"Nice to meet you, " + n.name + ".", "Thank you, " + n.name + "."}, seed, said));
  else if (!n.noted.empty())
    parts.push_back(
      choose({"Got it, " + joined(n.noted, "; ") + ".", "Thank you, " + joined(n.noted, "; ") + ".",
              "Noted, " + joined(n.noted, "; ") + "."},
             seed, said));
  if (!n.skipped.empty())
    parts.push_back(choose({"All right, we leave out " + enumerated(n.skipped) + ".",
                            "Fine, no need for " + enumerated(n.skipped) + "."},
                           seed, said));
  return joined(parts, " ");
}

std::string summary(const board& now) {
  std::vector<std::string> known;
  for (const auto& t : now.topics())
    if (now.has_value(t) && now.is_relevant(t) && t.status != "skipped" && t.status != "open") {
      const auto value = display_topic_value(*t.topic, t.value);
      known.push_back(
        label_of(*t.topic) + ": "
        + (value.size() <= shown_bytes ? value : std::string{cut(value, shown_bytes)} + "…"));
    }
  if (known.empty())
    return "I have nothing noted yet.";
  return "This is what I have. " + joined(known, "; ") + ".";
}

std::string what_is_left(const board& now) {
  std::vector<std::string> open;
  for (const auto& t : now.topics())
    if (const auto s = now.step_of(t); s != step::none)
      open.push_back(label_within(*t.topic)
                     + (s == step::read_back ? " (to confirm)"
                        : t.topic->required  ? ""
                                             : " (optional)"));
  if (open.empty())
    return "Nothing is open any more.";
  return "Still open: " + enumerated(open) + ".";
}

} // namespace sidevoice::rules
