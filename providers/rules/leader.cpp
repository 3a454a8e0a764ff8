#include "providers/rules/leader.hpp"

#include "providers/rules/acknowledge.hpp"
#include "providers/rules/tools.hpp"
#include "providers/rules/understand.hpp"
#include "providers/rules/words.hpp"

#include <algorithm>

namespace sidevoice::rules {

namespace {

/// Everything one answer is made from.
struct turn {
  const llm_request& request;
  reading read;
  /// What the assistant said last.
  std::string said;
  std::uint64_t seed = 0;
  /// The visitor's messages since then, read.
  std::vector<const message_reading*> fresh;
};

/// Index of the first user message that nobody has answered.
std::size_t unanswered_from(const std::vector<llm_message>& history) {
  auto first = history.size();
  for (auto i = history.size(); i-- > 0 && history[i].role != llm_role::assistant;)
    if (history[i].role == llm_role::user)
      first = i;
  return first;
}

/// How many of the assistant's last turns asked the same of this topic, without a break.
std::size_t attempts(const turn& t, const topic_now& wanted) {
  const auto kind = t.read.now.step_of(wanted);
  std::size_t n = 0;
  auto index = t.request.history.size();
  while (n < 12) {
    while (index > 0 && t.request.history[index - 1].role != llm_role::assistant)
      --index;
    if (index == 0)
      break;
    const auto asked = t.read.book.find(t.request.history[index - 1].text);
    if (asked.empty() || asked.front().topic != wanted.topic || asked.front().kind != kind)
      break;
    ++n;
    --index;
  }
  return n;
}

bool was_said(const llm_request& request, const std::string& text) {
  return std::any_of(request.history.begin(), request.history.end(), [&](const llm_message& m) {
    return m.role == llm_role::assistant && m.text.find(text) != std::string::npos;
  });
}

/// The question for a step, in words that were not used just before.
std::string question_for(const turn& t, const topic_now& next, std::size_t attempt) {
  const auto& topic = *next.topic;
  switch (t.read.now.step_of(next)) {
    case step::read_back:
      return choose(read_backs(topic, next.value), attempt, t.said);
    case step::contradicted:
      return choose(contradictions(topic, next.value), attempt, t.said);
    default:
      return choose(questions(topic), attempt, t.said);
  }
}

/// True when the fresh messages were to answer this topic and did not.
const message_reading* failed_answer(const turn& t, const topic_now& next) {
  for (const auto* m : t.fresh)
    for (const auto& a : m->asked)
      if (a.topic == next.topic && m->changes.empty() && m->remark == aside::none)
        return m;
  return nullptr;
}

/// The topic whose question was just answered in vain; null where there is none.
const topic_now* to_retry(const turn& t) {
  for (const auto* m : t.fresh)
    if (!m->asked.empty() && m->changes.empty() && m->remark == aside::none)
      if (const auto* now = t.read.now.find(m->asked.front().topic->id);
          t.read.now.step_of(*now) != step::none)
        return now;
  return nullptr;
}

/// Help before the question is put again: what is expected, more of it each time.
std::string help(const turn& t, const topic_now& next, const message_reading& failed,
                 std::size_t attempt) {
  const auto& topic = *next.topic;
  if (failed.is_reluctant)
    return choose({"I do need that one to go on, an estimate is enough.",
                   "That one is required, so please give me what you can."},
                  attempt, t.said)
           + " " + expectation(topic);
  if (t.read.now.step_of(next) == step::read_back)
    return choose({"Please answer with yes, or tell me how it should be.",
                   "A yes is enough, or the right one instead."},
                  attempt, t.said);
  const auto label = label_within(topic);
  const auto opening = choose({"Sorry, I did not catch " + label + ".",
                               "I could not read that as an answer for " + label + ".",
                               "That did not work for me yet."},
                              attempt > 0 ? attempt - 1 : 0, t.said);
  std::string out = failed.refused.empty() ? opening + " " + expectation(topic) : failed.refused;
  if (!failed.refused.empty() && t.said.find(failed.refused) != std::string::npos)
    out = opening + " " + expectation(topic);
  if (attempt >= 2)
    out += topic.required ? " You can also fill it in on the checklist yourself."
                          : " You can also say \"skip\".";
  return out;
}

/// What to say when nothing is left to ask.
std::string closing(const turn& t) {
  const auto& app = *t.request.app;
  std::vector<std::string> by_hand;
  for (const auto& now : t.read.now.topics())
    if (now.topic->confirm == topic_confirm::person && t.read.now.is_relevant(now)
        && (now.status == "contradicted" || (now.topic->required && now.status != "confirmed")))
      by_hand.push_back(label_within(*now.topic));
  if (!by_hand.empty())
    return choose(
      {"Please confirm " + enumerated(by_hand) + " on the checklist yourself; the rest is done.",
       "What is left is for you to confirm on the checklist: " + enumerated(by_hand) + "."},
      t.seed, t.said);
  const auto say = app.complete_say.empty() ? std::string{"That is all I need. Thank you!"}
                                            : app.complete_say;
  if (!was_said(t.request, say))
    return app.complete_summary ? say + " " + summary(t.read.now) : say;
  return choose({"Everything is noted; tell me if something should change.",
                 "I have all I need. If anything is wrong, just say so.",
                 "The checklist is complete, and you can still correct it."},
                t.seed, t.said);
}

/// The next topic. The checklist's own word counts where we have read nothing that it has not.
const topic_now* hinted(const turn& t) {
  const auto* hint = t.read.now.find(t.request.next_topic);
  const bool is_new = std::any_of(t.read.messages.begin(), t.read.messages.end(),
                                  [](const auto& m) { return !m.changes.empty(); });
  if (hint != nullptr && !is_new && t.read.now.step_of(*hint) != step::none)
    return hint;
  return t.read.now.next();
}

/// The next question with what goes before it; the closing words where nothing is left.
std::string go_on(const turn& t) {
  const auto* retry = to_retry(t);
  const auto* next = retry != nullptr ? retry : hinted(t);
  if (next == nullptr)
    return closing(t);
  const auto before = attempts(t, *next);
  const auto* failed = failed_answer(t, *next);
  if (failed != nullptr && before >= 3)
    if (const auto* other = t.read.now.next(next->topic->id); other != nullptr)
      return "Let us come back to " + label_within(*next->topic) + " later. "
             + question_for(t, *other, attempts(t, *other));
  std::string out;
  if (failed != nullptr)
    out = help(t, *next, *failed, before) + " ";
  out += question_for(t, *next, before);
  if (!next->topic->required && t.read.now.step_of(*next) == step::ask && failed == nullptr) {
    const auto hint =
      choose({"You may also say \"skip\".", "If you would rather not say, we can skip it.",
              "This one is optional."},
             t.seed, t.said);
    out += " " + hint;
  }
  return out;
}

/// An answer to a remark about the conversation; empty where there was none.
std::string answer_aside(const turn& t) {
  const auto kind = t.fresh.empty() ? aside::none : t.fresh.back()->remark;
  const auto& app = *t.request.app;
  const auto purpose = app.title.empty() ? std::string{"this checklist"} : "\"" + app.title + "\"";
  switch (kind) {
    case aside::none:
      return {};
    case aside::what_is_left:
      return what_is_left(t.read.now);
    case aside::what_is_known:
      return summary(t.read.now);
    case aside::repeat:
      return choose({"Of course.", "Gladly, once more.", "Sure, again."}, t.seed, t.said);
    case aside::help: {
      const auto* next = t.read.now.next();
      const auto how =
        choose({"I ask, you answer in your own words, and the checklist fills in.",
                "Answer as you like, in one go or bit by bit, and correct me any time."},
               t.seed, t.said);
      return next == nullptr ? how : how + " " + expectation(*next->topic);
    }
    case aside::who:
      return choose(
        {"I am the offline agent for " + purpose + ": a program with rules, no language model.",
         "You are talking to a program that works through the checklist of " + purpose + "."},
        t.seed, t.said);
    case aside::why:
      return choose({"It is one of the points on the checklist for " + purpose + ".",
                     "The people behind " + purpose + " need it to go on."},
                    t.seed, t.said);
    case aside::thanks:
      return choose({"You are welcome.", "My pleasure.", "Gladly."}, t.seed, t.said);
    case aside::hello:
      return choose({"Hello!", "Hi there!", "Good to see you!"}, t.seed, t.said);
    case aside::question:
      return choose(
        {"I cannot answer that myself, but your question stays in the conversation.",
         "That is beyond me, I only keep the checklist; your question is on record, though."},
        t.seed, t.said);
  }
  return {};
}

std::string compose(const turn& t, bool calls) {
  std::vector<std::string> parts;
  const bool begins = t.fresh.empty() && t.said.empty();
  if (begins && !t.request.app->greeting.empty()) {
    parts.push_back(t.request.app->greeting);
    if (t.request.app->greeting.find('?') != std::string::npos)
      return parts.front();
  } else if (begins) {
    parts.emplace_back("Hello!");
  }
  const auto came_back = outputs_in_words(t.request);
  if (!came_back.empty()) {
    parts.push_back(came_back);
  } else {
    parts.push_back(answer_aside(t));
    parts.push_back(acknowledgement(t.read.now, t.fresh, t.seed, t.said));
  }
  parts.push_back(calls ? choose({"One moment, please.", "Just a second.", "Let me pass that on."},
                                 t.seed, t.said)
                        : go_on(t));
  std::string out;
  for (const auto& part : parts)
    out += (out.empty() || part.empty() ? "" : " ") + part;
  return out;
}

/// One event a sentence, so that whoever speaks can begin early.
void say(const std::string& text, std::vector<llm_event>& out) {
  std::size_t first = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool ends = (text[i] == '.' || text[i] == '!' || text[i] == '?') && i + 1 < text.size()
                      && text[i + 1] == ' ';
    if (!ends)
      continue;
    out.emplace_back(llm_text{text.substr(first, i + 2 - first)});
    first = i + 2;
  }
  if (first < text.size())
    out.emplace_back(llm_text{text.substr(first)});
}

/// The text up to its word number `most`.
std::string first_words(const std::string& text, std::uint64_t most) {
  std::uint64_t n = 0;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == ' ' && i > 0 && text[i - 1] != ' ' && ++n == most)
      return text.substr(0, i);
  return text;
}

std::uint64_t words_in(std::string_view text) {
  std::uint64_t n = 0;
  bool inside = false;
  for (const auto c : text) {
    const bool letter = c != ' ' && c != '\n' && c != '\t';
    n += letter && !inside ? 1 : 0;
    inside = letter;
  }
  return n;
}

} // namespace

std::vector<llm_event> lead(const llm_request& request, id_source& ids) {
  const auto& history = request.history;
  const auto unanswered = unanswered_from(history);
  turn t{request,
         understand(request, std::min(unanswered, request.unanalyzed_from)),
         said_before(history, history.size()),
         0,
         {}};
  for (const auto& m : t.read.messages)
    if (m.index >= unanswered)
      t.fresh.push_back(&m);
  t.seed = seed_of(history.empty() ? request.app->id : history.back().id);
  std::vector<llm_event> out;
  llm_done done;
  auto call = due_call(request, t.read.now);
  if (!is_forced(request) || !call) {
    const auto whole = compose(t, call.has_value());
    const auto text = first_words(whole, request.max_output_tokens);
    say(text, out);
    done.output_tokens += words_in(text);
    if (text.size() < whole.size()) {
      done.reason = "length";
      call.reset();
    }
  }
  if (call) {
    call->call_id = ids.make("call_");
    done.output_tokens += words_in(call->arguments) + 1;
    out.emplace_back(std::move(*call));
  }
  done.input_tokens = words_in(request.instructions);
  for (const auto& m : history)
    done.input_tokens += words_in(m.text);
  out.emplace_back(done);
  return out;
}

} // namespace sidevoice::rules
