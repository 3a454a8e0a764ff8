#include "config/app_watch.hpp"

#include <sys/stat.h>

#include <algorithm>

namespace sidevoice {

namespace {

std::string text_of(const std::vector<app_fault>& faults) {
  std::string out;
  for (const auto& fault : faults)
    out += to_string(fault) + '\n';
  return out;
}

bool same_release(const app_ptr& a, const app_ptr& b) {
  return a && b ? a->release == b->release : a == b;
}

} // namespace

const char* to_string(app_change::kind what) {
  switch (what) {
    case app_change::kind::added:
      return "added";
    case app_change::kind::changed:
      return "changed";
    case app_change::kind::live_changed:
      return "live_changed";
    case app_change::kind::removed:
      return "removed";
    case app_change::kind::faulty:
      return "faulty";
  }
  return "unknown";
}

app_watch::app_watch(std::string path, app_load_options options, names known)
    : path_(std::move(path)),
      options_(std::move(options)),
      known_(std::move(known)) {}

app_watch::stamp app_watch::stamp_of(const std::string& file) {
  struct stat status = {};
  if (::stat(file.c_str(), &status) != 0)
    return {};
  return {true, status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
          static_cast<std::uint64_t>(status.st_size), static_cast<std::uint64_t>(status.st_ino)};
}

bool app_watch::is_stale(const std::vector<std::string>& app_files) const {
  if (app_files.size() != sources_.size())
    return true;
  for (const auto& file : app_files)
    if (!sources_.contains(file))
      return true;
  return std::any_of(stamps_.begin(), stamps_.end(),
                     [](const auto& one) { return stamp_of(one.first) != one.second; });
}

std::vector<app_change> app_watch::reload(bool force) {
  const auto app_files = find_app_files(path_);
  if (!force && !is_stale(app_files))
    return {};
  // Stamps are from before the reading: what changes meanwhile shows at the next call.
  std::map<std::string, stamp> before;
  for (const auto& file : app_files)
    before[file] = stamp_of(file);
  for (const auto& [file, unused] : stamps_)
    before[file] = stamp_of(file);
  fresh_.clear();
  seen_.clear();
  std::erase_if(sources_, [&](const auto& one) {
    return std::find(app_files.begin(), app_files.end(), one.first) == app_files.end();
  });
  std::vector<app_change> changes;
  for (const auto& file : app_files)
    take_file(file, changes);
  close_missing(changes);
  // A file that was looked for the first time has no stamp from before: it counts as changed once.
  stamps_.clear();
  for (const auto& [file, unused] : fresh_) {
    const auto known = before.find(file);
    stamps_[file] = known == before.end() ? stamp{true, -1, -1, 0, 0} : known->second;
  }
  return changes;
}

void app_watch::take_file(const std::string& file, std::vector<app_change>& changes) {
  auto loaded = load_app(file, options_);
  for (const auto& one : loaded.files)
    fresh_[one];
  if (loaded.app) {
    const auto [twin, first] = seen_.emplace(loaded.app->id, file);
    if (first) {
      take_app(std::move(loaded), file, changes);
      return;
    }
    loaded.faults.push_back({file, 0, "app", '"' + loaded.app->id + "\" a second time",
                             "give each app an id of its own: " + twin->second + " has it"});
    sources_[file].app.clear();
  }
  take_fault(loaded, file, changes);
}

void app_watch::take_app(app_load loaded, const std::string& file,
                         std::vector<app_change>& changes) {
  const auto& app = loaded.app;
  sources_[file] = {app->id, {}};
  const auto known = entries_.find(app->id);
  const auto is_new = known == entries_.end() || !known->second.open;
  auto& entry = entries_[app->id];
  const auto was = entry;
  const auto& stored = known_[app->id];
  entry.open = true;
  entry.live = loaded.live;
  entry.stable = loaded.live->on_save == "stable" ? app : stored.stable;
  entry.preview = loaded.live->on_save == "stable" ? stored.preview : app;
  // The same release keeps its object: sessions and caches compare pointers.
  for (auto* now : {&entry.stable, &entry.preview})
    for (const auto& old : {was.stable, was.preview})
      if (same_release(*now, old))
        *now = old;
  known_[app->id] = {entry.stable, entry.preview};
  auto what = app_change::kind::changed;
  if (is_new)
    what = app_change::kind::added;
  else if (same_release(entry.stable, was.stable) && same_release(entry.preview, was.preview)) {
    if (*entry.live == *was.live) {
      entry.live = was.live;
      return;
    }
    what = app_change::kind::live_changed;
  }
  changes.push_back({what, app->id, file, app, std::move(loaded.faults)});
}

void app_watch::take_fault(const app_load& loaded, const std::string& file,
                           std::vector<app_change>& changes) {
  auto& from = sources_[file];
  // The app that the file was stays open as it is.
  if (!from.app.empty())
    seen_.emplace(from.app, file);
  auto told = text_of(loaded.faults);
  if (told == from.told)
    return;
  from.told = std::move(told);
  changes.push_back({app_change::kind::faulty, from.app.empty() ? loaded.id : from.app, file,
                     nullptr, loaded.faults});
}

void app_watch::close_missing(std::vector<app_change>& changes) {
  for (auto& [id, entry] : entries_) {
    if (!entry.open || seen_.contains(id))
      continue;
    entry.open = false;
    changes.push_back({app_change::kind::removed, id, {}, nullptr, {}});
  }
}

bool app_watch::name_releases(const std::string& app, named_releases now) {
  const auto found = entries_.find(app);
  if (found == entries_.end())
    return false;
  found->second.stable = now.stable;
  found->second.preview = now.preview;
  known_[app] = std::move(now);
  return true;
}

} // namespace sidevoice
