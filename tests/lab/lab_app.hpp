#pragma once

#include "config/app_registry.hpp"
#include "tests/lab/dice.hpp"

namespace sidevoice::lab {

/// The app of a run: a checklist, tools of all kinds, voices that differ in how they listen.
/// `late`: its model asks what its hint names.
app_ptr make_app(dice& chance, bool late);

/// With what its models cost, so that there is something to add up.
app_entry entry_of(const app_ptr& app);

} // namespace sidevoice::lab
