#include "tests/lab/world.hpp"

#include <nlohmann/json.hpp>

/// What must hold at any time: looked at after each step.
namespace sidevoice::lab {

using nlohmann::json;

journal_watch& world::watch_of(const std::string& session) {
  const auto known = watches_.find(session);
  if (known != watches_.end())
    return known->second;
  auto& fresh =
    watches_
      .emplace(session, journal_watch{session, [this](const std::string& what) { violated(what); }})
      .first->second;
  fresh.judges_questions = asks_;
  return fresh;
}

namespace {

/// A look from outside: no fault of the disk hits it, and none is used up by it.
class calm_look {
public:
  explicit calm_look(faulty_disk* disk) : disk_{disk} {
    if (disk_ != nullptr)
      disk_->calm = true;
  }
  calm_look(const calm_look&) = delete;
  calm_look& operator=(const calm_look&) = delete;
  ~calm_look() {
    if (disk_ != nullptr)
      disk_->calm = false;
  }

private:
  faulty_disk* disk_;
};

} // namespace

std::optional<std::vector<event_ptr>> world::read(const std::string& session, std::uint64_t after) {
  const calm_look calm{platter_.get()};
  return disk_->read({app_->id, session}, after);
}

void world::look(const session_key& key) {
  count_disk_faults(key.id);
  if (platter_ && !platter_->has_power())
    return;
  auto& watch = watch_of(key.id);
  if (const auto more = read(key.id, watch.head()))
    watch.add(*more);
}

/// After a power loss: what somebody was told of must be there.
void world::look_again() {
  for (auto& [session, watch] : watches_) {
    const auto all = read(session, 0);
    if (all)
      watch.see(*all, disk_->told({app_->id, session}));
    else if (watch.head() > 0)
      violated(session + " cannot be read after the power came back");
  }
}

void world::check_step() {
  for (auto& who : patrons_)
    if (who.client->frames() != who.frames_seen) {
      who.frames_seen = who.client->frames();
      if (const auto* mic = who.client->microphone();
          mic != nullptr && mic->sounds() != who.sounds_seen) {
        who.sounds_seen = mic->sounds();
        who.heard_at = loop_->now();
      }
      check_running(who);
    }
}

void world::check_running(patron& who) {
  const auto& client = *who.client;
  const auto& watch = watch_of(who.session);
  if (client.acknowledged().size() != who.acknowledged_seen) {
    who.acknowledged_seen = client.acknowledged().size();
    for (const auto& id : client.acknowledged())
      if (!watch.has_input(id))
        violated(client.name() + " had " + id + " acknowledged, and it is not in the journal");
  }
  const auto& seen = client.view();
  if (!client.has_extensions() || !client.is_connected() || seen.last_seq == 0)
    return;
  if (seen.last_seq > watch.head())
    return violated(client.name() + " has seen number " + std::to_string(seen.last_seq) + " of "
                    + std::to_string(watch.head()));
  // What it has seen up to that number is the fold up to that number.
  const auto& fold = *watch.view_at(seen.last_seq);
  if (seen.revision != fold.revision)
    violated(client.name() + " is at revision " + std::to_string(seen.revision) + " instead of "
             + std::to_string(fold.revision) + " with number " + std::to_string(seen.last_seq));
  const auto order = client.durable_order();
  const auto differs = order.size() != fold.items.size()
                       || !std::equal(order.begin(), order.end(), fold.items.begin(),
                                      [](const std::string& id, const stored_item_ptr& item) {
                                        return id == item->value.id;
                                      });
  if (differs) {
    auto items = json::array();
    for (const auto& item : fold.items)
      items.push_back(item->value.id);
    return violated(client.name() + " sees " + json(order).dump() + " where the fold of "
                    + std::to_string(seen.last_seq) + " has " + items.dump());
  }
  for (const auto& item : fold.items) {
    const auto& text = seen.items.at(item->value.id).text;
    if (item->value.kind == item_kind::message && text != item->value.text
        && !(seen.items.at(item->value.id).may_be_cut && text.starts_with(item->value.text)))
      violated(client.name() + " sees \"" + text + "\" where the fold of "
               + std::to_string(seen.last_seq) + " has \"" + item->value.text + "\"");
  }
}

} // namespace sidevoice::lab
