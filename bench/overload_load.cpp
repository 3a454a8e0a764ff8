#include "bench/percentiles.hpp"
#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <nlohmann/json.hpp>

#include <array>
#include <chrono>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

/// More visitors than a server can hold. Residents come first and stay, as far as they are let in
/// in time; a crowd comes later, asks again as Retry-After says, and leaves together; then one
/// visitor after the other asks whether there is room again. Whoever is in types a turn every
/// `think` or so. One thread. Prints one JSON object: latencies of accepted turns before, during
/// and after the crowd, how long refusals took, and how late this client's own timers were.
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using nlohmann::json;
using tcp = asio::ip::tcp;
using steady = std::chrono::steady_clock;

struct load_options {
  std::uint16_t port = 0;
  std::string app = "bench";
  std::string key;
  std::size_t residents = 100;
  std::size_t crowd = 100;
  std::size_t think_ms = 2000;
  /// Seconds for the residents to come in, before the crowd, with it, and behind it.
  double ramp_s = 5;
  double before_s = 10;
  double during_s = 20;
  double after_s = 10;
  /// The crowd comes within this time.
  double crowd_ramp_s = 1;
};

enum phase : std::size_t { ramping, before, during, after, phases };

struct phase_tally {
  std::vector<double> accepted_ms;
  std::vector<double> send_to_delta_ms;
  std::vector<double> slip_ms;
};

struct tally {
  std::array<phase_tally, phases> by_phase;
  std::vector<double> refused_ms;
  std::vector<double> entered_ms;
  std::size_t residents_in = 0;
  std::size_t residents_refused = 0;
  std::size_t crowd_in = 0;
  std::size_t refused = 0;
  std::size_t errors = 0;
  double recovered_ms = -1;
};

double ms_between(steady::time_point from, steady::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

steady::duration seconds(double s) {
  return std::chrono::duration_cast<steady::duration>(std::chrono::duration<double>(s));
}

/// What all visitors share.
struct stage {
  asio::io_context io{1};
  load_options options;
  tally count;
  steady::time_point begin;
  bool over = false;

  [[nodiscard]] steady::time_point at(double s) const {
    return begin + seconds(s);
  }
  [[nodiscard]] double crowd_at() const {
    return options.ramp_s + options.before_s;
  }
  [[nodiscard]] double crowd_leaves_at() const {
    return crowd_at() + options.during_s;
  }
  [[nodiscard]] double end_at() const {
    return crowd_leaves_at() + options.after_s;
  }
  [[nodiscard]] phase now() const {
    const auto s = std::chrono::duration<double>(steady::now() - begin).count();
    return s < options.ramp_s      ? ramping
           : s < crowd_at()        ? before
           : s < crowd_leaves_at() ? during
                                   : after;
  }
};

enum class role { resident, crowd, prober };

class visitor : public std::enable_shared_from_this<visitor> {
public:
  visitor(stage& all, role as, std::size_t number)
      : stage_{all},
        role_{as},
        number_{number},
        timer_{all.io},
        leave_{all.io} {}

  void come(steady::time_point when) {
    const auto stay = role_ == role::crowd ? stage_.crowd_leaves_at() : stage_.end_at();
    leave_.expires_at(stage_.at(stay));
    leave_.async_wait([me = shared_from_this()](beast::error_code) { me->leave(); });
    wait_until(when, [](visitor& me) { me.enter(); });
  }

private:
  void wait_until(steady::time_point due, const std::function<void(visitor&)>& then) {
    timer_.expires_at(due);
    timer_.async_wait([me = shared_from_this(), due, then](beast::error_code ec) {
      if (ec || me->left_)
        return;
      me->stage_.count.by_phase[me->stage_.now()].slip_ms.push_back(ms_between(due, steady::now()));
      then(*me);
    });
  }

  void enter() {
    // The number of those who are in stays the same behind the ramp, but for the crowd.
    if (role_ == role::resident && stage_.now() != ramping)
      return leave();
    entered_at_ = steady::now();
    socket_ = std::make_unique<websocket::stream<beast::tcp_stream>>(stage_.io);
    response_ = {};
    beast::get_lowest_layer(*socket_).async_connect(
      tcp::endpoint{asio::ip::address_v4::loopback(), stage_.options.port},
      [me = shared_from_this()](beast::error_code ec) {
        if (ec)
          return me->fail(ec.message());
        me->shake_hands();
      });
  }

  void shake_hands() {
    beast::get_lowest_layer(*socket_).socket().set_option(tcp::no_delay{true});
    socket_->set_option(websocket::stream_base::decorator(
      [key = stage_.options.key](websocket::request_type& request) {
        request.set(http::field::authorization, "Bearer " + key);
        request.set(http::field::sec_websocket_protocol, "sidevoice.v1");
      }));
    socket_->async_handshake(response_, "127.0.0.1:" + std::to_string(stage_.options.port),
                             "/v1/realtime?model=" + stage_.options.app,
                             [me = shared_from_this()](beast::error_code ec) {
                               me->on_answer(ec);
                             });
  }

  void on_answer(beast::error_code ec) {
    if (left_)
      return;
    auto& count = stage_.count;
    if (ec == websocket::error::upgrade_declined && response_.result_int() == 503) {
      ++count.refused;
      count.residents_refused += role_ == role::resident ? 1 : 0;
      count.refused_ms.push_back(ms_between(entered_at_, steady::now()));
      const auto wait = role_ == role::prober
                          ? 0.1
                          : std::atof(std::string{response_[http::field::retry_after]}.c_str());
      return wait_until(steady::now() + seconds(wait > 0 ? wait : 1),
                        [](visitor& me) { me.enter(); });
    }
    if (ec)
      return fail(ec.message());
    send({{"type", "sidevoice.session.resume"}, {"after_seq", 0}});
    read();
  }

  void read() {
    socket_->async_read(buffer_, [me = shared_from_this()](beast::error_code ec, std::size_t) {
      if (me->left_)
        return;
      if (ec)
        return me->fail(ec.message());
      const auto text = beast::buffers_to_string(me->buffer_.cdata());
      me->buffer_.consume(me->buffer_.size());
      me->on_event(text);
      if (!me->left_)
        me->read();
    });
  }

  void on_event(const std::string& text) {
    const auto now = steady::now();
    const auto event = json::parse(text);
    const auto& type = event["type"].get_ref<const std::string&>();
    auto& figures = stage_.count.by_phase[phase_];
    if (type == "sidevoice.session.snapshot") {
      on_entered(now);
    } else if (type == "conversation.item.added" && event["item"].value("id", "") == item_) {
      figures.accepted_ms.push_back(ms_between(sent_at_, now));
    } else if (type == "response.output_text.delta" && !spoken_) {
      spoken_ = true;
      figures.send_to_delta_ms.push_back(ms_between(sent_at_, now));
    } else if (type == "response.done") {
      pause();
    } else if (type == "error") {
      fail(text);
    }
  }

  void on_entered(steady::time_point now) {
    auto& count = stage_.count;
    count.entered_ms.push_back(ms_between(entered_at_, now));
    if (role_ == role::prober) {
      count.recovered_ms = ms_between(stage_.at(stage_.crowd_leaves_at()), now);
      return leave();
    }
    ++(role_ == role::resident ? count.residents_in : count.crowd_in);
    pause();
  }

  /// Half to one and a half of the thinking time, so that sessions do not march in step.
  void pause() {
    const auto think = stage_.options.think_ms;
    const auto spread = think / 2 + (number_ * 7919 + turn_ * 104729) % (think + 1);
    wait_until(steady::now() + std::chrono::milliseconds{spread}, [](visitor& me) { me.say(); });
  }

  void say() {
    static constexpr std::array lines = {"My name is Anna Schmidt", "on 12 March 2027",
                                         "what do you still need?", "anna@example.com",
                                         "please go on"};
    item_ = "in_" + std::to_string(number_) + "_" + std::to_string(turn_);
    spoken_ = false;
    phase_ = stage_.now();
    sent_at_ = steady::now();
    send({{"type", "conversation.item.create"},
          {"answer", true},
          {"item",
           {{"id", item_},
            {"type", "message"},
            {"role", "user"},
            {"content", {{{"type", "input_text"}, {"text", lines[turn_ % lines.size()]}}}}}}});
    ++turn_;
  }

  void send(const json& event) {
    auto text = std::make_shared<std::string>(event.dump());
    socket_->async_write(asio::buffer(*text),
                         [me = shared_from_this(), text](beast::error_code ec, std::size_t) {
                           if (ec && !me->left_)
                             me->fail(ec.message());
                         });
  }

  void leave() {
    if (std::exchange(left_, true))
      return;
    timer_.cancel();
    leave_.cancel();
    if (socket_) {
      beast::error_code ignored;
      beast::get_lowest_layer(*socket_).socket().close(ignored);
    }
  }

  void fail(const std::string& why) {
    if (left_)
      return;
    if (++stage_.count.errors < 5)
      std::cerr << "visitor " << number_ << ": " << why << '\n';
    leave();
  }

  stage& stage_;
  role role_;
  std::size_t number_;
  asio::steady_timer timer_;
  asio::steady_timer leave_;
  std::unique_ptr<websocket::stream<beast::tcp_stream>> socket_;
  websocket::response_type response_;
  beast::flat_buffer buffer_;
  steady::time_point entered_at_;
  steady::time_point sent_at_;
  std::string item_;
  std::size_t turn_ = 0;
  phase phase_ = ramping;
  bool spoken_ = false;
  bool left_ = false;
};

json report(stage& all) {
  auto& count = all.count;
  json phases_json;
  const std::array names = {"ramp", "before", "during", "after"};
  for (std::size_t i = 0; i < phases; ++i) {
    auto& one = count.by_phase[i];
    phases_json[names[i]] = {{"accepted_ms", percentiles(one.accepted_ms)},
                             {"send_to_first_delta_ms", percentiles(one.send_to_delta_ms)},
                             {"client_slip_ms", percentiles(one.slip_ms)}};
  }
  return {{"residents", all.options.residents},
          {"residents_in", count.residents_in},
          {"residents_refused", count.residents_refused},
          {"crowd", all.options.crowd},
          {"crowd_in", count.crowd_in},
          {"refusals", count.refused},
          {"refused_ms", percentiles(count.refused_ms)},
          {"entered_ms", percentiles(count.entered_ms)},
          {"recovered_ms", count.recovered_ms},
          {"errors", count.errors},
          {"phases", phases_json}};
}

} // namespace

int main(int argc, char** argv) {
  stage all;
  auto& options = all.options;
  CLI::App cli{"More visitors than a server can hold"};
  cli.add_option("--port", options.port)->required();
  cli.add_option("--key", options.key)->required();
  cli.add_option("--app", options.app);
  cli.add_option("--residents", options.residents);
  cli.add_option("--crowd", options.crowd);
  cli.add_option("--think-ms", options.think_ms);
  cli.add_option("--ramp-s", options.ramp_s);
  cli.add_option("--before-s", options.before_s);
  cli.add_option("--during-s", options.during_s);
  cli.add_option("--after-s", options.after_s);
  cli.add_option("--crowd-ramp-s", options.crowd_ramp_s);
  CLI11_PARSE(cli, argc, argv);

  all.begin = steady::now();
  const auto spread = [&](role as, std::size_t count, double from, double length,
                          std::size_t base) {
    for (std::size_t i = 0; i < count; ++i)
      std::make_shared<visitor>(all, as, base + i)
        ->come(all.at(from + length * static_cast<double>(i) / static_cast<double>(count)));
  };
  spread(role::resident, options.residents, 0, options.ramp_s * 0.8, 0);
  if (options.crowd > 0) {
    spread(role::crowd, options.crowd, all.crowd_at(), options.crowd_ramp_s, options.residents);
    spread(role::prober, 1, all.crowd_leaves_at(), 0, options.residents + options.crowd);
  }
  all.io.run();
  std::cout << report(all).dump(2) << '\n';
  return all.count.errors == 0 ? 0 : 1;
}
