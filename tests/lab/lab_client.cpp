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

void lab_client::give_microphone(std::uint64_t& next_sentence) {
  next_sentence_ = &next_sentence;
  mic_ = std::make_unique<lab_microphone>(name_, extensions_ ? 16'000 : 24'000, extensions_,
                                          [this](const json& event) { send(event); });
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
            {"output_modalities", {mic_ ? "audio" : "text"}},
            {"audio", {{"input", {{"transcription", {{"model", "any"}}}}}}},
            {"tools",
             {{{"type", "function"},
               {"name", "own_tool"},
               {"description", "of this client alone"},
               {"parameters", {{"type", "object"}}}}}}}}});
  for (const auto& [id, frame] : std::map{unanswered_}) {
    resent_.insert(id);
    send(frame);
  }
  if (mic_)
    mic_->on_connected();
}

void lab_client::disconnect() {
  if (link_)
    link_->cut();
  link_.reset();
  if (connection_)
    caf::anon_send(connection_, client_gone{"the lab cut the line"});
  connection_ = nullptr;
  if (mic_)
    mic_->on_disconnected();
}

void lab_client::send(const json& event) {
  if (show_frames && connection_)
    std::printf("             %s -> %.2000s\n", name_.c_str(), event.dump().c_str());
  if (connection_)
    caf::anon_send(connection_,
                   client_frame{std::make_shared<const std::string>(event.dump()), false});
}

std::vector<std::string> lab_client::durable_order() const {
  std::vector<std::string> out;
  std::copy_if(view_.order.begin(), view_.order.end(), std::back_inserter(out),
               [this](const std::string& id) { return !unnumbered_.contains(id); });
  return out;
}

// -- what a person might do
// ------------------------------------------------------------------------------

void lab_client::act(dice& chance) {
  if (mic_ && chance.chance(talks_percent))
    return mic_->act(chance, *next_sentence_);
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

} // namespace sidevoice::lab
