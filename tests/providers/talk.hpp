#pragma once

#include "config/topic_value.hpp"
#include "providers/rules/leader.hpp"
#include "providers/rules/listener.hpp"
#include "tests/providers/moving.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace sidevoice {

/// A conversation in memory: the offline pair, and a board that takes what the analyzer proposes as
/// the checklist does (values by the topic's type, quotes that are in their item, `when`).
class talk {
public:
  /// Turns by which the analyzer is behind; its results arrive that much later.
  std::size_t lag = 0;
  std::vector<llm_tool> tools;
  std::string tool_choice = "auto";
  std::vector<llm_message> history;

  explicit talk(app_ptr app) : app_(std::move(app)) {
    for (const auto& t : app_->topics)
      states_[t.id] = {"open", ""};
    apply_conditions();
  }

  /// The assistant's turn. Returns its text; calls are kept in `calls`.
  std::string answer() {
    calls.clear();
    std::string text;
    for (const auto& e : rules::lead(request(llm_purpose::converse), ids_)) {
      if (const auto* t = std::get_if<llm_text>(&e))
        text += t->delta;
      if (const auto* c = std::get_if<llm_call>(&e))
        calls.push_back(*c);
    }
    if (!text.empty())
      add(llm_role::assistant, text);
    for (const auto& c : calls) {
      add(llm_role::function_call, c.arguments);
      history.back().name = c.name;
      history.back().call_id = c.call_id;
    }
    return text;
  }

  /// The visitor says something, the analyzer reads (late, with `lag`), the assistant answers.
  std::string say(const std::string& text) {
    add(llm_role::user, text);
    unread_.push_back(history.size());
    if (unread_.size() > lag)
      analyze();
    return answer();
  }

  void output(const std::string& text) {
    const auto call = std::find_if(history.rbegin(), history.rend(),
                                   [](const auto& m) { return m.role == llm_role::function_call; });
    REQUIRE(call != history.rend());
    auto m = *call;
    m.role = llm_role::function_call_output;
    m.id = next_id();
    m.text = text;
    history.push_back(m);
  }

  void add(llm_role role, const std::string& text) {
    history.push_back({role, next_id(), text, "", ""});
  }

  [[nodiscard]] std::string status(const std::string& topic) const {
    return states_.at(topic).first;
  }

  /// As a person reads it.
  [[nodiscard]] std::string shown(const std::string& topic) const {
    const auto& value = states_.at(topic).second;
    return value.empty() ? "" : display_topic_value(*app_->find_topic(topic), value);
  }

  void put(const std::string& topic, const std::string& status, const json_text& value) {
    states_[topic] = {status, value};
    apply_conditions();
  }

  /// Topics that are neither settled nor out of the question.
  [[nodiscard]] std::vector<std::string> open() const {
    std::vector<std::string> out;
    for (const auto& t : app_->topics)
      if (const auto& s = states_.at(t.id).first;
          s == "open" || (s == "answered" && t.confirm == topic_confirm::read_back))
        out.push_back(t.id);
    return out;
  }

  /// The analyzer's run over everything up to the oldest message it has not seen, and no further.
  void analyze() {
    auto r = request(llm_purpose::analyze);
    const auto end = unread_.empty() ? history.size() : unread_.front();
    if (!unread_.empty())
      unread_.erase(unread_.begin());
    r.history.resize(end);
    for (const auto& e : rules::listen(r, ids_))
      if (const auto* c = std::get_if<llm_call>(&e))
        take(*c);
    analyzed_ = end;
  }

  [[nodiscard]] llm_request request(llm_purpose purpose) const {
    llm_request r;
    r.purpose = purpose;
    r.app = app_;
    r.history = history;
    r.tools = tools;
    r.tool_choice = tool_choice;
    for (const auto& t : app_->topics)
      r.board.push_back({&t, states_.at(t.id).first, states_.at(t.id).second});
    r.unanalyzed_from = std::min(analyzed_, history.size());
    r.wall_ms = moving::today_ms;
    r.zone = "Europe/Berlin";
    return r;
  }

  std::vector<llm_call> calls;

private:
  std::string next_id() {
    return "item_" + std::to_string(history.size() + 1);
  }

  void take(const llm_call& call) {
    CHECK(call.name == "update_topic");
    const auto a = nlohmann::json::parse(call.arguments);
    const auto& topic = *app_->find_topic(a.at("topic").get<std::string>());
    const auto status = a.at("status").get<std::string>();
    const auto item = a.at("evidence").at("item_id").get<std::string>();
    const auto quote = a.at("evidence").at("quote").get<std::string>();
    const auto source = std::find_if(history.begin(), history.end(),
                                     [&](const auto& m) { return m.id == item; });
    REQUIRE(source != history.end());
    INFO("quote: ", quote, " of: ", source->text);
    CHECK_FALSE(quote.empty());
    CHECK(source->text.find(quote) != std::string::npos);
    json_text value;
    if (status == "answered" || status == "confirmed") {
      const auto checked = check_topic_value(topic, a.at("value").dump(),
                                             day_in_zone(moving::today_ms, "Europe/Berlin"));
      REQUIRE(checked.has_value());
      value = *checked;
    }
    states_[topic.id] = {status, value};
    apply_conditions();
  }

  bool holds(const topic_condition& c) const {
    const auto& [status, value] = states_.at(c.topic);
    if (value.empty() || status == "skipped")
      return false;
    if (!c.any_of.empty())
      return std::find(c.any_of.begin(), c.any_of.end(), value) != c.any_of.end();
    const auto n = nlohmann::json::parse(value).get<double>();
    return (!c.min || n >= *c.min) && (!c.max || n <= *c.max);
  }

  void apply_conditions() {
    for (const auto& t : app_->topics) {
      auto& [status, value] = states_[t.id];
      const bool matters = std::all_of(t.when.begin(), t.when.end(),
                                       [&](const auto& c) { return holds(c); });
      if (!matters && status != "skipped") {
        by_rule_.insert(t.id);
        status = "skipped";
      } else if (matters && by_rule_.erase(t.id) != 0 && status == "skipped") {
        status = value.empty() ? "open" : "answered";
      }
    }
  }

  app_ptr app_;
  counted_ids ids_;
  std::map<std::string, std::pair<std::string, json_text>> states_;
  std::set<std::string> by_rule_;
  std::vector<std::size_t> unread_;
  std::size_t analyzed_ = 0;
};

} // namespace sidevoice
