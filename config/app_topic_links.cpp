#include "config/app_checklist.hpp"
#include "config/suggest.hpp"
#include "config/topic_value.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>

namespace sidevoice {

namespace {

using nlohmann::ordered_json;

/// Reads the links of all topics; knows all declarations.
class link_reader {
public:
  link_reader(std::vector<topic_declaration>& topics, std::string path, fault_list& faults)
      : topics_(topics),
        path_(std::move(path)),
        faults_(faults) {
    for (const auto& topic : topics_)
      if (!topic.id.empty())
        ids_.push_back(topic.id);
  }

  void read(const ordered_json& list) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      const auto here = path_of(path_, i);
      if (list[i].contains("when"))
        read_when(list[i]["when"], path_of(here, "when"), topics_[i]);
      if (list[i].contains("after"))
        read_after(list[i]["after"], path_of(here, "after"), topics_[i]);
    }
    find_circles();
  }

private:
  const topic_declaration* find(const std::string& id) const {
    const auto found = std::find_if(topics_.begin(), topics_.end(),
                                    [&](const topic_declaration& t) { return t.id == id; });
    return found == topics_.end() ? nullptr : &*found;
  }

  /// The topic a link names; null, with a fault, where there is none or it is the topic itself.
  const topic_declaration* linked(const std::string& id, const std::string& path,
                                  const topic_declaration& from) {
    if (id == from.id) {
      faults_.fault(path, '"' + id + "\" itself", "name another topic");
      return nullptr;
    }
    const auto* other = find(id);
    if (other == nullptr)
      faults_.fault(path, ordered_json(id).dump() + ", which is no topic", suggestion(id, ids_));
    return other;
  }

  void read_after(const ordered_json& after, const std::string& path, topic_declaration& topic) {
    if (!after.is_array()) {
      faults_.fault(path, describe(after), R"(write a list of topic ids, such as ["date"])");
      return;
    }
    for (std::size_t i = 0; i < after.size(); ++i) {
      const auto here = path_of(path, i);
      if (!after[i].is_string())
        faults_.fault(here, describe(after[i]), "write the id of a topic");
      else if (linked(after[i].get<std::string>(), here, topic) != nullptr)
        topic.after.push_back(after[i].get<std::string>());
    }
  }

  void read_when(const ordered_json& when, const std::string& path, topic_declaration& topic) {
    if (!when.is_object()) {
      faults_.fault(path, describe(when),
                    R"(write { "home": ["flat"] } or { "floor": { "min": 1 } })");
      return;
    }
    for (const auto& member : when.items()) {
      const auto here = path_of(path, member.key());
      const auto* other = linked(member.key(), here, topic);
      if (other == nullptr)
        continue;
      topic_condition condition;
      condition.topic = other->id;
      if (member.value().is_object())
        read_bounds(member.value(), here, *other, condition);
      else
        read_values(member.value(), here, *other, condition);
      topic.when.push_back(std::move(condition));
    }
  }

  void read_bounds(const ordered_json& bounds, const std::string& path,
                   const topic_declaration& other, topic_condition& condition) {
    object_fields fields{bounds, path, faults_};
    condition.min = fields.number("min");
    condition.max = fields.number("max");
    fields.finish();
    if (other.type != topic_type::integer && other.type != topic_type::money)
      faults_.fault(path, std::string{"bounds for a topic of type "} + to_string(other.type),
                    "list the values: [ ... ]");
    else if (bounds.empty())
      faults_.fault(path, "no bounds", R"(write { "min": 1 }, { "max": 3 } or both)");
    else if (condition.min && condition.max && *condition.min > *condition.max)
      faults_.fault(path_of(path, "min"), "min above max", "swap the two numbers");
  }

  void read_values(const ordered_json& values, const std::string& path,
                   const topic_declaration& other, topic_condition& condition) {
    if (!values.is_array()) {
      read_value(values, path, other, condition);
      return;
    }
    if (values.empty())
      faults_.fault(path, "an empty list", "list the values for which the topic matters");
    for (std::size_t i = 0; i < values.size(); ++i)
      read_value(values[i], path_of(path, i), other, condition);
  }

  void read_value(const ordered_json& value, const std::string& path,
                  const topic_declaration& other, topic_condition& condition) {
    auto single = other;
    single.list = false;
    // A condition on a day may name one that has passed.
    single.min_today = false;
    auto checked = check_topic_value(single, value.dump(), calendar_day{1, 1, 1});
    if (checked) {
      condition.any_of.push_back(std::move(*checked));
      return;
    }
    std::vector<std::string> choices;
    for (const auto& choice : other.choices)
      choices.push_back(choice.value);
    const auto near = value.is_string() ? closest(value.get<std::string>(), choices) : "";
    faults_.fault(path, describe(value),
                  near.empty() ? checked.error().detail : "did you mean \"" + near + "\"?");
  }

  // -- circles ------------------------------------------------------------------------------------

  enum class mark { fresh, open, done };

  std::vector<std::string> before(const topic_declaration& topic) const {
    auto out = topic.after;
    for (const auto& condition : topic.when)
      out.push_back(condition.topic);
    return out;
  }

  void find_circles() {
    std::map<std::string, mark> marks;
    std::vector<std::string> chain;
    for (const auto& topic : topics_)
      follow(topic, marks, chain);
  }

  /// Depth first; as deep as there are topics, of which there are at most 200.
  void follow(const topic_declaration& topic, std::map<std::string, mark>& marks,
              std::vector<std::string>& chain) {
    auto& here = marks[topic.id];
    if (here == mark::done)
      return;
    chain.push_back(topic.id);
    if (here == mark::open) {
      report_circle(chain);
    } else {
      here = mark::open;
      for (const auto& id : before(topic))
        follow(*find(id), marks, chain);
      here = mark::done;
    }
    chain.pop_back();
  }

  void report_circle(const std::vector<std::string>& chain) {
    const auto start = std::find(chain.begin(), chain.end(), chain.back());
    std::string circle;
    for (auto id = start; id != chain.end(); ++id)
      circle += (circle.empty() ? "" : " after ") + *id;
    const auto index = static_cast<std::size_t>(find(*start) - topics_.data());
    const auto& next = *std::next(start);
    const auto& after = topics_[index].after;
    const auto by_after = std::find(after.begin(), after.end(), next) != after.end();
    faults_.fault(path_of(path_of(path_, index), by_after ? "after" : "when"),
                  "a circle: " + circle, "remove one of these links, or none is ever asked");
  }

  std::vector<topic_declaration>& topics_;
  std::string path_;
  fault_list& faults_;
  std::vector<std::string> ids_;
};

} // namespace

void read_topic_links(const ordered_json& list, const std::string& path,
                      std::vector<topic_declaration>& topics, fault_list& faults) {
  link_reader{topics, path, faults}.read(list);
}

} // namespace sidevoice
