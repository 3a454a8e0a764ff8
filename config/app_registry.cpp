#include "config/app_registry.hpp"

namespace sidevoice {

app_ptr app_entry::release(const std::string& name) const {
  if (name == "stable")
    return stable;
  if (name == "preview")
    return preview;
  if (name.empty()) {
    const auto& wanted = live && live->new_sessions == "preview" ? preview : stable;
    return wanted ? wanted : stable ? stable : preview;
  }
  for (const auto& app : {stable, preview})
    if (app && app->release == name)
      return app;
  return nullptr;
}

app_entries entries_of(const apps_load& loaded) {
  app_entries entries;
  for (const auto& [app, live] : loaded.apps) {
    auto& entry = entries[app->id];
    (live->on_save == "preview" ? entry.preview : entry.stable) = app;
    entry.live = live;
  }
  return entries;
}

app_registry::app_registry(app_entries entries)
    : entries_(std::make_shared<const app_entries>(std::move(entries))),
      version_(1) {}

std::shared_ptr<const app_entries> app_registry::all() const {
  const std::lock_guard lock{mutex_};
  return entries_;
}

std::uint64_t app_registry::version() const {
  const std::lock_guard lock{mutex_};
  return version_;
}

live_ptr app_registry::live_of(const std::string& app) const {
  const auto now = all();
  const auto found = now->find(app);
  if (found == now->end() || !found->second.live)
    return std::make_shared<const live_settings>();
  return found->second.live;
}

app_ptr app_registry::find(const std::string& app, const std::string& release) const {
  const auto now = all();
  const auto found = now->find(app);
  return found == now->end() ? nullptr : found->second.release(release);
}

bool app_registry::is_open(const std::string& app) const {
  const auto now = all();
  const auto found = now->find(app);
  return found != now->end() && found->second.open;
}

void app_registry::replace(app_entries entries) {
  auto next = std::make_shared<const app_entries>(std::move(entries));
  const std::lock_guard lock{mutex_};
  entries_ = std::move(next);
  ++version_;
}

} // namespace sidevoice
