#include "cli/commands.hpp"

#include <csignal>
#include <cstdio>
#include <exception>

/// The binary: reads the command line, runs one command.
int main(int argc, char** argv) {
  using namespace sidevoice::cli;
  // A client that is gone is an error of that write, not a signal that ends the process.
  std::signal(SIGPIPE, SIG_IGN);

  CLI::App app{
    "Sidevoice: agents that talk with your visitors beside a chat, and keep a checklist of what is "
    "said.\n"
    "\nFirst steps:\n"
    "  sidevoice chat apps/moving                 talk to an app in this terminal\n"
    "  sidevoice serve --config apps              serve all apps below apps/ with their page\n"
    "  sidevoice init shop                        write a new app, apps/shop\n"
    "  sidevoice check apps                       find all faults of app files at once\n"
    "  sidevoice sessions list --data data        look at stored conversations\n"
    "  sidevoice store verify --data data         check that all of it can be read\n"};
  app.name("sidevoice");
  app.require_subcommand(1);
  app.set_version_flag("--version", "sidevoice " SIDEVOICE_VERSION);
  app.failure_message(CLI::FailureMessage::help);

  action chosen;
  add_serve(app, chosen);
  add_chat(app, chosen);
  add_init(app, chosen);
  add_check(app, chosen);
  add_sessions(app, chosen);
  add_store(app, chosen);
  add_keys(app, chosen);
  add_fake_providers(app, chosen);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    // CLI11 has codes of its own for each kind of fault; to a shell they are all "wrong usage".
    return app.exit(e) == 0 ? 0 : 2;
  }
  try {
    return chosen();
  } catch (const std::exception& e) {
    std::fprintf(stderr, "sidevoice: %s\n", e.what());
    return 1;
  }
}
