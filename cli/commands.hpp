#pragma once

#include <CLI/CLI.hpp>

#include <functional>

/// One file per command; each adds itself to the command line and says what to run.
namespace sidevoice::cli {

/// What the chosen command does; returns the exit code of the process. 0: done; 1: it failed, and
/// standard error says why; 2: the command line or a file is wrong.
using action = std::function<int()>;

void add_serve(CLI::App& app, action& chosen);
void add_chat(CLI::App& app, action& chosen);
void add_init(CLI::App& app, action& chosen);
void add_check(CLI::App& app, action& chosen);
void add_sessions(CLI::App& app, action& chosen);
void add_store(CLI::App& app, action& chosen);
void add_keys(CLI::App& app, action& chosen);
void add_fake_providers(CLI::App& app, action& chosen);

} // namespace sidevoice::cli
