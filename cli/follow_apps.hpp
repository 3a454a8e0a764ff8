#pragma once

#include "cluster/node.hpp"
#include "config/app_watch.hpp"

#include <memory>
#include <string>

namespace sidevoice::cli {

/// Keeps a running node's apps in step with their files: looks every second, and when it is told.
/// New sessions get what was saved, sessions that run keep what they have; a file with faults
/// leaves its app as it was, and the faults are logged. On the loop's thread.
class follow_apps {
public:
  /// Before the loop runs. `home` outlives it. Errors are the store's.
  static result<std::unique_ptr<follow_apps>> start(node& home, const std::string& path,
                                                    const app_load_options& options);

  /// Reads all files anew, whether they seem changed or not.
  void reload();

private:
  follow_apps(node& home, app_watch watch) : home_(home), watch_(std::move(watch)) {}
  void look(bool force);
  void wait();

  node& home_;
  app_watch watch_;
  std::unique_ptr<timer> timer_;
};

} // namespace sidevoice::cli
