#include "cluster/fault_scenario.hpp"

#include "config/app_fields.hpp"
#include "config/text_file.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace sidevoice {

namespace {

using nlohmann::ordered_json;
using std::chrono::milliseconds;

constexpr std::size_t scenario_bytes_max = 1'000'000;
constexpr std::size_t entries_max = 1000;
constexpr std::int64_t times_max = 100'000;
constexpr std::int64_t day_ms = 86'400'000;
constexpr std::int64_t year_s = 366LL * 86'400;

/// What may be said of a kind of fault.
struct fault_kind_words {
  const char* word;
  fault_target target;
  bool actor = false;
  std::vector<std::string> faults = {};
};

const std::vector<fault_kind_words>& kinds() {
  static const std::vector<fault_kind_words> all = {
    {"crash", fault_target::crash, true},
    {"quit", fault_target::quit, true},
    {"hang", fault_target::hang, true},
    {"slow", fault_target::slow, true},
    {"store", fault_target::store, false, {"full", "unavailable", "unknown", "slow"}},
    {"llm", fault_target::llm, false, {"fail", "stall", "slow"}},
    {"stt", fault_target::stt, false, {"fail", "hang"}},
    {"tts", fault_target::tts, false, {"fail", "hang"}},
    {"clock", fault_target::clock},
  };
  return all;
}

class entry_reader {
public:
  entry_reader(const ordered_json& object, const std::string& path,
               const std::vector<std::string>& actors, fault_list& faults)
      : fields_{object, path, faults},
        actors_{actors} {}

  fault_entry read() {
    std::vector<std::string> words;
    for (const auto& kind : kinds())
      words.emplace_back(kind.word);
    fields_.require("do", "say what is to happen, such as \"do\": \"crash\"");
    const auto word = fields_.word("do", words);
    if (!word)
      return out_;
    const auto& kind =
      *std::find_if(kinds().begin(), kinds().end(),
                    [&](const fault_kind_words& one) { return *word == one.word; });
    out_.target = kind.target;
    if (kind.actor)
      read_actor();
    if (!kind.faults.empty()) {
      fields_.require("fault", "say which, such as \"fault\": \"" + kind.faults.front() + "\"");
      out_.fault = fields_.word("fault", kind.faults).value_or("");
    }
    read_times();
    read_lengths();
    fields_.finish();
    return out_;
  }

private:
  void read_actor() {
    fields_.require("actor", "name an actor of a session's tree, such as \"actor\": \"session\"");
    out_.actor = fields_.word("actor", actors_).value_or("");
    out_.session = fields_.text("session", 100).value_or("all");
  }

  milliseconds read_ms(const std::string& key, std::int64_t min, milliseconds otherwise = {}) {
    return milliseconds{fields_.whole(key, min, day_ms).value_or(otherwise.count())};
  }

  void read_times() {
    out_.at = read_ms("at_ms", 0);
    const auto* every = fields_.find("every_ms");
    const auto* times = fields_.find("times");
    out_.every = read_ms("every_ms", 1);
    out_.times = static_cast<std::uint32_t>(fields_.whole("times", 1, times_max).value_or(1));
    if (every != nullptr && times == nullptr)
      fields_.faults().fault(fields_.path("every_ms"), "no end of it",
                             "say how often with \"times\"");
    if (times != nullptr && out_.times > 1 && every == nullptr)
      fields_.faults().fault(fields_.path("times"), describe(*times),
                             "say how far apart with \"every_ms\"");
  }

  [[nodiscard]] bool lasts() const {
    return out_.target != fault_target::crash && out_.target != fault_target::quit;
  }

  void read_lengths() {
    if (out_.target == fault_target::clock) {
      fields_.require("by_s", "say by how many seconds, such as \"by_s\": 3600");
      out_.by = std::chrono::seconds{fields_.whole("by_s", -year_s, year_s).value_or(1)};
      if (out_.by.count() == 0)
        fields_.faults().fault(fields_.path("by_s"), "0", "write a number above or below it");
    }
    if (!lasts())
      return;
    if (out_.target != fault_target::clock)
      fields_.require("for_ms", "say how long, such as \"for_ms\": 1000");
    const auto* given = fields_.find("for_ms");
    out_.length = read_ms("for_ms", 1);
    if (given != nullptr && out_.times > 1 && out_.length > out_.every)
      fields_.faults().fault(fields_.path("for_ms"), describe(*given),
                             "it would begin again before its end; write at most every_ms");
    if (out_.target == fault_target::slow || out_.fault == "slow") {
      fields_.require("by_ms", "say by how much, such as \"by_ms\": 20");
      out_.by = read_ms("by_ms", 1, milliseconds{1});
      if (out_.by > out_.length && given != nullptr)
        fields_.faults().fault(fields_.path("by_ms"), std::to_string(out_.by.count()),
                               "write at most for_ms");
    }
  }

  object_fields fields_;
  const std::vector<std::string>& actors_;
  fault_entry out_;
};

fault_scenario read_root(const ordered_json& root, const std::vector<std::string>& actors,
                         fault_list& faults) {
  fault_scenario out;
  object_fields fields{root, "", faults};
  if (!root.is_object())
    return out;
  fields.require("version", "this server reads \"version\": 1");
  const auto* version = fields.find("version");
  if (version != nullptr && *version != 1)
    faults.fault("version", describe(*version), "this server reads \"version\": 1");
  fields.require("faults", "list what is to happen, such as { \"do\": \"crash\", \"actor\": "
                           "\"session\" }");
  const auto* list = fields.find("faults", json_kind::list);
  if (list != nullptr && (list->empty() || list->size() > entries_max))
    faults.fault("faults", std::to_string(list->size()) + " faults",
                 "list 1 to " + std::to_string(entries_max));
  for (std::size_t i = 0; list != nullptr && i < list->size() && i < entries_max; ++i)
    out.faults.push_back(entry_reader{(*list)[i], path_of("faults", i), actors, faults}.read());
  fields.finish();
  return out;
}

} // namespace

fault_reading read_fault_scenario(std::string_view text, const std::string& file,
                                  const std::vector<std::string>& actors) {
  const auto document = parse_jsonc(text);
  fault_list faults{file, document.positions};
  fault_reading out;
  if (document.root)
    out.scenario = read_root(*document.root, actors, faults);
  out.faults = faults.take();
  for (const auto& fault : document.faults)
    out.faults.push_back({file, fault.line, fault.key, fault.found, fault.remedy});
  if (!out.faults.empty())
    out.scenario = {};
  return out;
}

fault_reading load_fault_scenario(const std::string& path, const std::vector<std::string>& actors) {
  const auto text = read_text_file(path, scenario_bytes_max);
  if (!text)
    return {{}, {{path, 0, "", "no file that can be read", text.error().detail}}};
  return read_fault_scenario(*text, path, actors);
}

// -- the plan

fault_plan::fault_plan(fault_scenario scenario) : scenario_{std::move(scenario)} {
  for (std::size_t i = 0; i < scenario_.faults.size(); ++i)
    plan_run(i, 1);
}

void fault_plan::plan_run(std::size_t number, std::uint32_t run) {
  const auto& what = scenario_.faults[number];
  const auto at = what.at + (run - 1) * what.every;
  next_.emplace(order{at, true, number}, run);
}

std::vector<due_fault> fault_plan::take_due(milliseconds since_begin) {
  std::vector<due_fault> due;
  while (!next_.empty() && next_.begin()->first.at <= since_begin) {
    const auto node = next_.extract(next_.begin());
    const auto [at, begins, number] = node.key();
    const auto run = node.mapped();
    due.push_back({at, number, begins});
    const auto& what = scenario_.faults[number];
    if (!begins)
      continue;
    const auto holds = what.target == fault_target::store || what.target == fault_target::llm
                       || what.target == fault_target::stt || what.target == fault_target::tts
                       || what.target == fault_target::clock;
    if (holds && what.length.count() > 0)
      next_.emplace(order{at + what.length, false, number}, run);
    // Of `slow`, one run is many short hangs; `run` counts them all.
    if (what.target == fault_target::slow) {
      const auto each = static_cast<std::uint32_t>(
        std::max<std::int64_t>(1, what.length.count() / (2 * what.by.count())));
      const auto done = run % each;
      if (done != 0)
        next_.emplace(order{at + 2 * what.by, true, number}, run + 1);
      else if (run / each < what.times)
        next_.emplace(order{what.at + (run / each) * what.every, true, number}, run + 1);
    } else if (run < what.times) {
      plan_run(number, run + 1);
    }
  }
  return due;
}

} // namespace sidevoice
