#include "cli/follow_apps.hpp"

#include "config/log.hpp"

namespace sidevoice::cli {

namespace {

constexpr std::chrono::seconds between_looks{1};

} // namespace

result<std::unique_ptr<follow_apps>> follow_apps::start(node& home, const std::string& path,
                                                        const app_load_options& options) {
  auto known = home.stored_names();
  if (!known)
    return known.error();
  std::unique_ptr<follow_apps> made{
    new follow_apps{home, app_watch{path, options, std::move(*known)}}};
  // The first look adds what the node has already, under the names that the store knows.
  made->watch_.reload();
  home.use_apps(made->watch_.entries());
  made->wait();
  return made;
}

void follow_apps::reload() {
  look(true);
}

void follow_apps::look(bool force) {
  const auto changes = watch_.reload(force);
  for (const auto& change : changes) {
    log(change.what == app_change::kind::faulty ? log_level::error : log_level::info,
        std::string{"app."} + to_string(change.what),
        {{"app", change.app},
         {"file", change.file},
         {"release", change.release ? change.release->release : std::string{}}});
    for (const auto& fault : change.faults)
      if (!fault.warning)
        log(log_level::error, "app.fault", {{"detail", to_string(fault)}});
  }
  if (!changes.empty())
    home_.use_apps(watch_.entries());
}

void follow_apps::wait() {
  timer_ = home_.where().after(between_looks, [this] {
    look(false);
    wait();
  });
}

} // namespace sidevoice::cli
