#include "tests/lab/script_llm.hpp"

#include <nlohmann/json.hpp>

#include <deque>

namespace sidevoice::lab {

namespace {

/// Says its lines one after the other, each after a pause.
class script_stream final : public llm_stream {
public:
  struct line {
    std::uint64_t pause_ms;
    llm_event event;
  };

  script_stream(loop& where, std::deque<line> lines, llm_sink sink)
      : where_{where},
        lines_{std::move(lines)},
        sink_{std::move(sink)} {
    next();
  }

private:
  void next() {
    if (lines_.empty())
      return;
    timer_ = where_.after(std::chrono::milliseconds{lines_.front().pause_ms}, [this] {
      auto event = std::move(lines_.front().event);
      lines_.pop_front();
      // The sink only posts to an actor; it never destroys this stream.
      sink_(std::move(event));
      next();
    });
  }

  loop& where_;
  std::deque<line> lines_;
  llm_sink sink_;
  std::unique_ptr<timer> timer_;
};

class script_llm final : public llm_provider {
public:
  script_llm(const provider_context& context, dice& chance, const llm_script& script)
      : context_{context},
        chance_{chance},
        script_{script} {}

  result<std::unique_ptr<llm_stream>> open(llm_request request, llm_sink sink) override {
    std::deque<script_stream::line> lines;
    if (request.purpose == llm_purpose::analyze)
      analyze(request, lines);
    else
      talk(request, lines);
    end(lines);
    return std::unique_ptr<llm_stream>{
      std::make_unique<script_stream>(context_.where, std::move(lines), std::move(sink))};
  }

private:
  void add(std::deque<script_stream::line>& lines, llm_event event, std::uint64_t extra_ms = 0) {
    lines.push_back({extra_ms + chance_.roll(script_.latency_max_ms + 1), std::move(event)});
  }

  void talk(const llm_request& request, std::deque<script_stream::line>& lines) {
    static constexpr const char* words[] = {"Well",        ", ",    "yes. ", "And ",  "so",
                                            "! ",          "What ", "of ",   "12.5 ", "then? ",
                                            "\xC3\xA4hm ", "no; ",  "e.g. ", "this. "};
    for (auto n = 1 + chance_.roll(script_.pieces_max); n > 0; --n)
      add(lines, llm_text{words[chance_.roll(std::size(words))]});
    if (request.tools.empty() || request.tool_choice == "none")
      return;
    while (chance_.chance(script_.call_percent)) {
      // Now and then one that does not exist, or with arguments that are none.
      const auto any = request.tools[chance_.roll(request.tools.size())].name;
      const auto name = chance_.chance(5) ? "fly" : chance_.chance(40) ? "pay" : any;
      add(lines, llm_call{{}, name, chance_.chance(5) ? "[" : "{}"});
    }
  }

  void analyze(const llm_request& request, std::deque<script_stream::line>& lines) {
    auto extra = script_.analyzer_extra_ms;
    if (chance_.chance(script_.call_percent))
      add(lines, llm_call{{}, chance_.chance(10) ? "pay" : "show", "{}"});
    for (std::size_t i = request.unanalyzed_from; i < request.history.size(); ++i) {
      const auto& message = request.history[i];
      if (message.role != llm_role::user || message.text.empty() || request.board.empty())
        continue;
      const auto& entry = request.board[chance_.roll(request.board.size())];
      // Now and then the quote is invented, or the value of the wrong type: the session must refuse
      // it.
      const auto quote = chance_.chance(10) ? "never said" : message.text;
      nlohmann::json arguments{{"topic", entry.topic->id},
                               {"status", "answered"},
                               {"evidence", {{"item_id", message.id}, {"quote", quote}}}};
      if (entry.topic->type == topic_type::integer)
        arguments["value"] = static_cast<int>(chance_.roll(9));
      else if (entry.topic->type == topic_type::choice)
        arguments["value"] = entry.topic->choices[chance_.roll(entry.topic->choices.size())].value;
      else
        arguments["value"] = "value " + std::to_string(chance_.roll(100));
      add(lines, llm_call{{}, "update_topic", arguments.dump()}, std::exchange(extra, 0));
    }
  }

  void end(std::deque<script_stream::line>& lines) {
    if (chance_.chance(script_.fail_percent)) {
      lines.resize(chance_.roll(lines.size() + 1));
      return add(lines, llm_failed{{errc::unavailable, "the script says so"}});
    }
    if (chance_.chance(script_.stall_percent)) {
      lines.resize(chance_.roll(lines.size() + 1));
      return;
    }
    add(lines, llm_done{"stop", 10, 0, lines.size()});
  }

  provider_context context_;
  dice& chance_;
  const llm_script& script_;
};

class asker_llm final : public llm_provider {
public:
  asker_llm(const provider_context& context, dice& chance, const llm_script& script)
      : context_{context},
        chance_{chance},
        script_{script} {}

  result<std::unique_ptr<llm_stream>> open(llm_request request, llm_sink sink) override {
    std::deque<script_stream::line> lines;
    if (request.purpose == llm_purpose::analyze)
      analyze(request, lines);
    else
      lines.push_back({chance_.roll(script_.latency_max_ms + 1),
                       llm_text{request.next_topic.empty() ? "ok" : "ask:" + request.next_topic}});
    lines.push_back({1, llm_done{"stop", 10, 0, 1}});
    return std::unique_ptr<llm_stream>{
      std::make_unique<script_stream>(context_.where, std::move(lines), std::move(sink))};
  }

private:
  void analyze(const llm_request& request, std::deque<script_stream::line>& lines) {
    for (const auto& message : request.history) {
      const auto is = message.text.find('=');
      if (message.role != llm_role::user || is == std::string::npos)
        continue;
      const auto topic = message.text.substr(0, is);
      nlohmann::json value = message.text.substr(is + 1);
      if (topic == "floor")
        value = 3;
      lines.push_back(
        {0,
         llm_call{{},
                  "update_topic",
                  nlohmann::json{{"topic", topic},
                                 {"value", value},
                                 {"evidence", {{"item_id", message.id}, {"quote", message.text}}}}
                    .dump()}});
    }
    if (!lines.empty())
      lines.front().pause_ms = script_.analyzer_extra_ms;
  }

  provider_context context_;
  dice& chance_;
  const llm_script& script_;
};

} // namespace

llm_factory make_asker_llm(dice& chance, const llm_script& script) {
  return [&chance, &script](const provider_context& context,
                            const json_text&) -> result<std::unique_ptr<llm_provider>> {
    return std::unique_ptr<llm_provider>{std::make_unique<asker_llm>(context, chance, script)};
  };
}

llm_factory make_script_llm(dice& chance, const llm_script& script) {
  return [&chance, &script](const provider_context& context,
                            const json_text&) -> result<std::unique_ptr<llm_provider>> {
    return std::unique_ptr<llm_provider>{std::make_unique<script_llm>(context, chance, script)};
  };
}

} // namespace sidevoice::lab
