#include "bench/percentiles.hpp"
#include "bench/steady_visitor.hpp"
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

/// Typed sessions at a steady pace through several phases of one run: what else happens in each of
/// them is somebody else's to arrange. Prints one JSON object, percentiles in milliseconds by
/// phase. One thread. A turn counts in the phase in which it was sent; those of the gaps count
/// nowhere.
namespace {

namespace asio = boost::asio;
using namespace steady_bench;
using nlohmann::json;

json shown(phase_tally& one) {
  return {{"turns", one.turns},
          {"errors", one.errors},
          {"refused_turns", one.refused_turns},
          {"refused_opens", one.refused_opens},
          {"accepted_ms", percentiles(one.accepted)},
          {"send_to_first_delta_ms", percentiles(one.first_delta)},
          {"send_to_done_ms", percentiles(one.done)},
          {"refused_ms", percentiles(one.refused)},
          {"client_slip_ms", percentiles(one.slip)}};
}

/// The phases, one after the other from `begin` on.
std::vector<phase_tally> plan(steady::time_point begin, const std::vector<double>& seconds,
                              double gap) {
  std::vector<phase_tally> out;
  const auto span = [](double s) {
    return std::chrono::duration_cast<steady::duration>(std::chrono::duration<double>{s});
  };
  for (const auto length : seconds) {
    phase_tally one;
    one.from = begin + span(gap);
    one.until = one.from + span(length);
    begin = one.until;
    out.push_back(std::move(one));
  }
  return out;
}

} // namespace

int main(int argc, char** argv) {
  load_options options;
  std::vector<double> phases;
  double gap_s = 2;
  double warm_s = 5;
  std::int64_t begin_at = 0;
  CLI::App cli{"Typed sessions at a steady pace, measured by phases"};
  cli.add_option("--port", options.port)->required();
  cli.add_option("--key", options.key)->required();
  cli.add_option("--app", options.app);
  cli.add_option("--sessions", options.sessions);
  cli.add_option("--victims", options.victims, "The first so many come back and count apart");
  cli.add_option("--cut-every-ms", options.cut_every_ms, "The victims' lines are cut so often");
  cli.add_option("--cut-from", options.cut_from, "From this phase on, the first being 1");
  cli.add_option("--think-ms", options.think_ms);
  cli.add_option("--open-rate", options.open_rate, "Sessions opened in a second");
  cli.add_flag("--tolerant", options.is_tolerant, "Refused inputs and lost lines are only counted");
  cli.add_option("--retry-ms", options.retry_ms, "Before a refused session is asked for again");
  cli.add_option("--phases", phases, "Seconds of each")->required()->delimiter(',');
  cli.add_option("--gap-s", gap_s, "Before each phase");
  cli.add_option("--warm-s", warm_s, "Before the first gap");
  cli.add_option("--begin-at", begin_at, "Unix time in ms of the first gap, in place of --warm-s");
  CLI11_PARSE(cli, argc, argv);

  asio::io_context io{1};
  const auto now = steady::now();
  const auto wall = std::chrono::duration_cast<std::chrono::milliseconds>(
    std::chrono::system_clock::now().time_since_epoch());
  const auto warm = begin_at > 0 ? std::chrono::milliseconds{begin_at} - wall
                                 : std::chrono::duration_cast<std::chrono::milliseconds>(
                                   std::chrono::duration<double>{warm_s});
  load_tally count;
  count.phases = plan(now + warm, phases, gap_s);
  count.end = count.phases.back().until;
  std::vector<std::unique_ptr<asio::steady_timer>> openers;
  for (std::size_t i = 0; i < options.sessions; ++i) {
    // Victims are the server's first sessions: the others come half a second later.
    const auto wait = std::chrono::microseconds{i * 1'000'000 / options.open_rate}
                      + std::chrono::milliseconds{i < options.victims ? 0 : 500};
    openers.push_back(std::make_unique<asio::steady_timer>(io, now + wait));
    openers.back()->async_wait([&, i](boost::system::error_code) {
      std::make_shared<visitor>(io, options, count, i)->start();
    });
  }
  io.run();
  auto of_phases = json::array();
  std::size_t errors = 0;
  for (auto& one : count.phases) {
    errors += one.errors;
    of_phases.push_back(shown(one));
  }
  std::cout << json{{"sessions", options.sessions - options.victims},
                    {"think_ms", options.think_ms},
                    {"errors_outside", count.outside.errors},
                    {"refused_opens_outside", count.outside.refused_opens},
                    {"phases", std::move(of_phases)},
                    {"victims",
                     {{"sessions", options.victims},
                      {"ids", count.victim_ids},
                      {"turns", count.victims.turns},
                      {"lost_lines", count.lost_lines},
                      {"refused_opens", count.victims.refused_opens},
                      {"errors", count.victims.errors}}}}
                 .dump(2)
            << '\n';
  return errors + count.outside.errors == 0 || options.is_tolerant ? 0 : 1;
}
