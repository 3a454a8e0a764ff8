#include "tests/lab/lab_client.hpp"

#include <algorithm>
#include <cstdio>

namespace sidevoice::lab {

using nlohmann::json;

/// Hands frames to its client while it is the newest link; a dead one swallows them.
class lab_client::link final : public client_link {
public:
  explicit link(lab_client& owner) : owner_{&owner} {}

  bool send(std::string text) override {
    if (owner_ != nullptr)
      owner_->on_frame(text);
    return true;
  }

  void close(std::uint16_t, std::string) override {
    if (auto* owner = std::exchange(owner_, nullptr); owner != nullptr)
      owner->disconnect();
  }

  void consumed() override {}

  void cut() {
    owner_ = nullptr;
  }

private:
  lab_client* owner_;
};

lab_client::lab_client(std::string name, bool extensions, report_violation report)
    : name_{std::move(name)},
      extensions_{extensions},
      report_{std::move(report)} {}

lab_client::~lab_client() {
  disconnect();
}

std::string lab_client::fresh(const char* prefix) {
  return prefix + name_ + "_" + std::to_string(++next_);
}

std::shared_ptr<client_link> lab_client::new_link() {
  disconnect();
  link_ = std::make_shared<link>(*this);
  open_responses_.clear();
  streamed_.clear();
  // What carried no number is not in the journal: the new line tells whatever of it still holds.
  for (const auto& id : std::exchange(unnumbered_, {})) {
    std::erase(view_.order, id);
    view_.items.erase(id);
  }
  if (!extensions_)
    start_over();
  return link_;
}

void lab_client::connected(connection_actor connection) {
  connection_ = std::move(connection);
  if (extensions_) {
    send({{"type", "sidevoice.session.resume"}, {"after_seq", view_.last_seq}, {"store", store_}});
    send({{"type", "sidevoice.tools.offer"}, {"names", {"show", "draw"}}});
  } else
    send({{"type", "session.update"},
          {"session",
           {{"type", "realtime"},
            {"output_modalities", {"text"}},
            {"tools",
             {{{"type", "function"},
               {"name", "own_tool"},
               {"description", "of this client alone"},
               {"parameters", {{"type", "object"}}}}}}}}});
  for (const auto& [id, frame] : std::map{unanswered_})
    send(frame);
}

void lab_client::disconnect() {
  if (link_)
    link_->cut();
  link_.reset();
  if (connection_)
    caf::anon_send(connection_, client_gone{"the lab cut the line"});
  connection_ = nullptr;
}

void lab_client::send(const json& event) {
  if (show_frames && connection_)
    std::printf("             %s -> %.600s\n", name_.c_str(), event.dump().c_str());
  if (connection_)
    caf::anon_send(connection_,
                   client_frame{std::make_shared<const std::string>(event.dump()), false});
}

// -- what a person might do
// ------------------------------------------------------------------------------

void lab_client::act(dice& chance) {
  if (chance.chance(40))
    answer_calls(chance);
  switch (chance.roll(10)) {
    case 0:
      if (extensions_ && !states_topics)
        return send_edit(chance);
      [[fallthrough]];
    case 1:
      return send({{"type", "response.cancel"}, {"event_id", fresh("cancel_")}});
    case 2:
      if (extensions_ && !states_topics)
        return send({{"type", "sidevoice.topic.undo"}, {"event_id", fresh("undo_")}});
      [[fallthrough]];
    case 3:
      if (!acknowledged_.empty() && chance.chance(20))
        return send({{"type", "conversation.item.delete"},
                     {"event_id", fresh("delete_")},
                     {"item_id",
                      *std::next(acknowledged_.begin(),
                                 static_cast<std::ptrdiff_t>(chance.roll(acknowledged_.size())))}});
      [[fallthrough]];
    case 4:
      // The same id again: the same answer, and no second turn.
      if (!acknowledged_.empty() && extensions_)
        return send({{"type", "conversation.item.create"},
                     {"answer", true},
                     {"item",
                      {{"id", *acknowledged_.begin()},
                       {"type", "message"},
                       {"role", "user"},
                       {"content", {{{"type", "input_text"}, {"text", "again"}}}}}}});
      [[fallthrough]];
    default:
      return send_input(chance);
  }
}

void lab_client::answer_calls(dice& chance) {
  const auto take = [&chance](std::set<std::string>& from) {
    const auto at = std::next(from.begin(), static_cast<std::ptrdiff_t>(chance.roll(from.size())));
    return from.extract(at).value();
  };
  if (!asked_to_run_.empty()) {
    const auto call = take(asked_to_run_);
    send({{"type", "sidevoice.tool.output"},
          {"event_id", fresh("out_")},
          {"call_id", call},
          {"output", "shown"}});
    // A second output is an error, and changes nothing.
    if (chance.chance(20))
      send({{"type", "sidevoice.tool.output"},
            {"event_id", fresh("out_")},
            {"call_id", call},
            {"output", "again"}});
  }
  if (!asked_to_agree_.empty())
    send({{"type", "sidevoice.approval.answer"},
          {"event_id", fresh("agree_")},
          {"call_id", take(asked_to_agree_)},
          {"approve", chance.chance(70)}});
  if (!own_calls_.empty()) {
    const auto call = take(own_calls_);
    send({{"type", "conversation.item.create"},
          {"event_id", fresh("ev_")},
          {"item",
           {{"id", fresh("own_")},
            {"type", "function_call_output"},
            {"call_id", call},
            {"output", "mine"}}}});
    send({{"type", "response.create"}, {"event_id", fresh("create_")}});
  }
  if (extensions_ && chance.chance(20))
    send({{"type", "sidevoice.tools.offer"},
          {"event_id", fresh("offer_")},
          {"names", chance.chance(70) ? json{"show", "draw"} : json::array()}});
}

void lab_client::send_input(dice& chance) {
  const auto id = fresh("in_");
  static constexpr const char* stated[] = {"name=Ann", "home=flat", "home=house", "floor=three"};
  const auto words = states_topics && chance.chance(70)
                       ? std::string{stated[chance.roll(std::size(stated))]}
                       : "words " + std::to_string(chance.roll(1000));
  json frame{{"type", "conversation.item.create"},
             {"event_id", fresh("ev_")},
             {"item",
              {{"id", id},
               {"type", "message"},
               {"role", "user"},
               {"content", {{{"type", "input_text"}, {"text", words}}}}}}};
  if (extensions_) {
    frame["answer"] = true;
    wants_answer_.insert(id);
  } else if (!view_.order.empty() && chance.chance(10)) {
    frame["previous_item_id"] =
      chance.chance(50) ? "root" : view_.order[chance.roll(view_.order.size())].c_str();
  }
  unanswered_.emplace(id, frame);
  send(frame);
  if (!extensions_)
    send({{"type", "response.create"}, {"event_id", fresh("create_")}});
}

void lab_client::send_edit(dice& chance) {
  if (view_.topics.empty())
    return;
  const auto at = std::next(view_.topics.begin(),
                            static_cast<std::ptrdiff_t>(chance.roll(view_.topics.size())));
  json value = at->second.value("type", "") == "integer" ? json(chance.roll(9)) : json("by hand");
  if (at->second.value("type", "") == "choice")
    value = chance.chance(50) ? "flat" : "house";
  send({{"type", "sidevoice.topic.update"},
        {"event_id", fresh("edit_")},
        {"topic", at->first},
        {"value", value},
        {"base_revision", at->second.value("revision", 0)}});
}

// -- what comes back
// ---------------------------------------------------------------------------------------

void lab_client::start_over() {
  unnumbered_.clear();
  view_ = {};
  numbers_.clear();
}

void lab_client::on_frame(const std::string& text) {
  if (show_frames)
    std::printf("             %s <- %.600s\n", name_.c_str(), text.c_str());
  const auto event = json::parse(text, nullptr, false);
  if (!event.is_object() || !event.contains("type") || !event.contains("event_id"))
    return report_(name_ + " got a frame that is no event: " + text.substr(0, 200));
  if (event.contains("seq") && event["seq"].is_number()
      && event["type"] != "sidevoice.session.snapshot") {
    on_number(event["seq"].get<std::uint64_t>(), event.value("more", false));
  }
  const auto type = event["type"].get<std::string>();
  if (type == "error")
    on_error(event["error"]);
  else if (type.rfind("conversation.item.", 0) == 0)
    on_item(event);
  else if (type.rfind("response.", 0) == 0)
    on_response(event, type);
  else if (type.rfind("sidevoice.", 0) == 0)
    on_extension(event, type);
}

void lab_client::on_number(std::uint64_t seq, bool more) {
  // Items of a snapshot and repeated answers carry the number of the event that they came with.
  if (seq <= view_.last_seq)
    return;
  if (seq != view_.last_seq + 1)
    report_(name_ + " got number " + std::to_string(seq) + " after "
            + std::to_string(view_.last_seq));
  // A number counts as seen with the last of its frames.
  if (more)
    return;
  numbers_.push_back(seq);
  view_.last_seq = seq;
}

void lab_client::on_error(const json& error) {
  // A refusal is an answer, too: nothing was stored, and a person would be told so.
  if (!error["event_id"].is_string())
    return;
  std::erase_if(unanswered_, [&](const auto& entry) {
    return entry.second.value("event_id", "") == error["event_id"];
  });
}

void lab_client::on_item(const json& event) {
  const auto type = event["type"].get<std::string>();
  if (type == "conversation.item.deleted") {
    const auto id = event["item_id"].get<std::string>();
    std::erase(view_.order, id);
    view_.items.erase(id);
    unanswered_.erase(id);
    return;
  }
  if (type != "conversation.item.added" && type != "conversation.item.done")
    return;
  const auto& item = event["item"];
  const auto id = item["id"].get<std::string>();
  std::string text;
  for (const auto& part : item.value("content", json::array()))
    text += part.value("text", "");
  if (item.value("type", "") == "function_call_output")
    text = item.value("output", "");
  if (!view_.items.contains(id)) {
    auto at = view_.order.begin();
    if (event.contains("previous_item_id") && event["previous_item_id"].is_string()) {
      at = std::find(view_.order.begin(), view_.order.end(),
                     event["previous_item_id"].get<std::string>());
      if (at == view_.order.end())
        report_(name_ + " got item " + id
                + " behind an item it does not know: " + event.dump().substr(0, 300));
      else
        ++at;
    }
    view_.order.insert(at, id);
  }
  if (extensions_ && !event.value("seq", json()).is_number())
    unnumbered_.insert(id);
  else
    unnumbered_.erase(id);
  view_.items[id] = {item.value("role", item.value("type", "")), text, item.value("status", "")};
  if (unanswered_.erase(id) > 0)
    acknowledged_.insert(id);
}

void lab_client::on_response(const json& event, const std::string& type) {
  if (type == "response.created") {
    const auto id = event["response"]["id"].get<std::string>();
    if (closed_responses_.contains(id))
      report_(name_ + " saw response " + id + " created after it was done");
    open_responses_.insert(id);
    return;
  }
  if (type == "response.done") {
    const auto id = event["response"]["id"].get<std::string>();
    if (open_responses_.erase(id) == 0)
      report_(name_ + " saw response.done of " + id + ", which was not open");
    closed_responses_.insert(id);
    return;
  }
  if (type == "response.function_call_arguments.done" && !extensions_) {
    // A plain client runs what it sees, so it must see nothing but its own.
    if (event["name"] != "own_tool")
      report_(name_ + " was shown a call of " + event["name"].get<std::string>());
    own_calls_.insert(event["call_id"].get<std::string>());
  }
  const auto id = event["response_id"].get<std::string>();
  if (!open_responses_.contains(id))
    report_(name_ + " saw " + type + " of response " + id + ", which is not open");
  const auto item = event.value("item_id", "");
  if (type == "response.output_text.delta") {
    if (event.value("so_far", false))
      streamed_[item].clear();
    if (streamed_[item].empty() && on_first_piece)
      on_first_piece(id);
    streamed_[item] += event["delta"].get<std::string>();
  } else if (type == "response.output_text.done") {
    const auto text = event["text"].get<std::string>();
    if (streamed_[item] != text && streamed_[item].rfind(text, 0) == 0)
      cut_.insert(item);
    else if (streamed_[item] != text)
      report_(name_ + " saw pieces \"" + streamed_[item] + "\" of a text \"" + text + "\"");
  } else if (type == "response.output_item.done"
             && cut_.contains(event["item"]["id"].get<std::string>())
             && event["item"].value("status", "") != "incomplete") {
    // A crash may take the clause that was just being said; then the item says that it is not
    // whole.
    report_(name_ + " saw more of " + event["item"]["id"].get<std::string>()
            + " than its completed text holds");
  }
}

void lab_client::on_extension(const json& event, const std::string& type) {
  if (type == "sidevoice.tool.called") {
    asked_to_run_.insert(event["call_id"].get<std::string>());
  } else if (type == "sidevoice.tool.cancelled") {
    asked_to_run_.erase(event["call_id"].get<std::string>());
  } else if (type == "sidevoice.approval.requested") {
    asked_to_agree_.insert(event["call_id"].get<std::string>());
  } else if (type == "sidevoice.approval.answered") {
    if (asked_to_agree_.erase(event["call_id"].get<std::string>()) == 0)
      return;
  } else if (type == "sidevoice.session.snapshot") {
    start_over();
    view_.last_seq = event["seq"].get<std::uint64_t>();
    store_ = event["store"].get<std::string>();
    view_.revision = event["revision"].get<std::uint64_t>();
    for (const auto& topic : event["topics"])
      view_.topics[topic["id"].get<std::string>()] = topic;
  } else if (type == "sidevoice.session.resumed") {
    if (view_.last_seq != event["to_seq"].get<std::uint64_t>())
      report_(name_ + " was resumed to a number that it has not seen");
  } else if (type == "sidevoice.topic.updated") {
    const auto revision = event["revision"].get<std::uint64_t>();
    // A repeated edit is answered with the topic as it stands.
    if (event.contains("edit") && revision <= view_.revision)
      return;
    if (revision != view_.revision + 1)
      report_(name_ + " saw revision " + std::to_string(revision) + " after "
              + std::to_string(view_.revision));
    view_.revision = revision;
    view_.topics[event["topic"]["id"].get<std::string>()] = event["topic"];
  }
}

} // namespace sidevoice::lab
