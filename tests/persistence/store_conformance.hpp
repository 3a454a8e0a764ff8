#pragma once

#include "persistence/store.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace sidevoice::samples {

/// One rule of `persistence/store.hpp` or `persistence/admin_jobs.hpp`, executable. `check` gets an
/// empty store.
struct store_rule {
  const char* name;
  void (*check)(store_writer& store);
};

const std::vector<store_rule>& session_rules();
/// Releases, keys and spend.
const std::vector<store_rule>& admin_rules();

/// Checks every rule on a store of its own.
void check_conformance(const std::function<std::unique_ptr<store_writer>()>& make_empty_store);

} // namespace sidevoice::samples
