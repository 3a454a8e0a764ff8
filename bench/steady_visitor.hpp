#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

/// One visitor of the steady load.
namespace steady_bench {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using steady = std::chrono::steady_clock;

struct load_options {
  std::uint16_t port = 0;
  std::string app = "bench";
  std::string key;
  std::size_t sessions = 500;
  /// The first of them: they come back when their line breaks, and count apart.
  std::size_t victims = 0;
  std::size_t think_ms = 4000;
  /// From phase number `cut_from` on (from 1) the victims' lines are cut so often; 0: never.
  std::size_t cut_every_ms = 0;
  std::size_t cut_from = 3;
  std::size_t open_rate = 100;
  /// A refused input is counted and another one sent, a broken line opened again, instead of ending
  /// the session.
  bool is_tolerant = false;
  /// Of one whose session was refused, before it asks again.
  std::size_t retry_ms = 1000;
};

/// Milliseconds, one entry a turn.
struct phase_tally {
  steady::time_point from;
  steady::time_point until;
  std::vector<double> accepted;
  std::vector<double> first_delta;
  std::vector<double> done;
  /// From the request to its refusal.
  std::vector<double> refused;
  /// How late this client's own timers were: one that slips is no witness.
  std::vector<double> slip;
  std::size_t turns = 0;
  std::size_t refused_turns = 0;
  std::size_t refused_opens = 0;
  std::size_t errors = 0;
};

struct load_tally {
  std::vector<phase_tally> phases;
  /// All that was in no phase.
  phase_tally outside;
  /// Of the victims, in all phases.
  phase_tally victims;
  std::size_t lost_lines = 0;
  /// Sessions of the victims.
  std::set<std::string> victim_ids;
  /// Visitors leave.
  steady::time_point end;

  /// Where something counts that began then.
  phase_tally& at(steady::time_point when);
};

/// Opens a session, then says one line after the other, a thinking time after each answer. An
/// answer that does not come in 15 s is an error, and the next line is said.
class visitor : public std::enable_shared_from_this<visitor> {
public:
  visitor(asio::io_context& io, const load_options& options, load_tally& count, std::size_t number);

  /// It lives until the tally's end. Options and tally outlive the context's run.
  void start();

private:
  using socket = websocket::stream<beast::tcp_stream>;

  void open();
  void shake_hands();
  void on_refused();
  void on_lost(const std::string& why);
  void come_back(std::chrono::milliseconds wait);
  void wait_to_cut();
  void read();
  void on_event(const std::string& text);
  void on_error(const nlohmann::json& event);
  void pause();
  void say();
  void on_no_answer();
  void send(const nlohmann::json& event);
  void fail(const std::string& why);
  [[nodiscard]] bool is_over() const;
  [[nodiscard]] bool is_victim() const {
    return number_ < options_.victims;
  }
  phase_tally& tally(steady::time_point when);

  const load_options& options_;
  load_tally& count_;
  std::size_t number_;
  asio::io_context& io_;
  /// A new one for each line; what an older one says is void.
  std::shared_ptr<socket> socket_;
  asio::steady_timer timer_;
  asio::steady_timer cutter_;
  beast::flat_buffer buffer_;
  std::string session_;
  std::uint64_t seq_ = 0;
  steady::time_point opened_;
  steady::time_point sent_;
  std::string item_;
  std::size_t turn_ = 0;
  bool waits_ = false;
  bool is_accepted_ = false;
  bool has_spoken_ = false;
  bool is_gone_ = false;
};

} // namespace steady_bench
