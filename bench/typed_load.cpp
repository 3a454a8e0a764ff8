#include "bench/percentiles.hpp"
#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

/// Load of typed sessions on a running server: N WebSockets, each a session of its own, each M
/// turns, the next one `think` after the last answer is done. One thread. Prints one JSON object:
/// percentiles in milliseconds of the whole run, and how late this client's own timers were (a
/// client that slips is no witness).
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using nlohmann::json;
using tcp = asio::ip::tcp;
using steady = std::chrono::steady_clock;

struct load_options {
  std::uint16_t port = 0;
  std::string app = "bench";
  std::string key;
  std::size_t sessions = 100;
  std::size_t turns = 10;
  std::size_t think_ms = 0;
  /// Sessions opened per second.
  std::size_t open_rate = 500;
  /// Stay open and silent for so long after the last turn.
  std::size_t linger_s = 0;
};

struct tally {
  std::vector<double> accepted_ms;
  /// From the acceptance to the first piece of the answer, and from the send to it.
  std::vector<double> first_delta_ms;
  std::vector<double> send_to_delta_ms;
  std::vector<double> open_ms;
  std::vector<double> slip_ms;
  std::size_t done_turns = 0;
  std::size_t errors = 0;
  std::size_t finished = 0;
};

double ms_between(steady::time_point from, steady::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

class visitor : public std::enable_shared_from_this<visitor> {
public:
  visitor(asio::io_context& io, const load_options& options, tally& count, std::size_t number)
      : options_{options},
        count_{count},
        number_{number},
        socket_{io},
        timer_{io} {}

  void start() {
    opened_ = steady::now();
    beast::get_lowest_layer(socket_).async_connect(
      tcp::endpoint{asio::ip::address_v4::loopback(), options_.port},
      [me = shared_from_this()](beast::error_code ec) { me->on_connect(ec); });
  }

private:
  void on_connect(beast::error_code ec) {
    if (ec)
      return fail(ec.message());
    beast::get_lowest_layer(socket_).socket().set_option(tcp::no_delay{true});
    socket_.set_option(
      websocket::stream_base::decorator([key = options_.key](websocket::request_type& request) {
        request.set(beast::http::field::authorization, "Bearer " + key);
        request.set(beast::http::field::sec_websocket_protocol, "sidevoice.v1");
      }));
    socket_.async_handshake("127.0.0.1:" + std::to_string(options_.port),
                            "/v1/realtime?model=" + options_.app,
                            [me = shared_from_this()](beast::error_code failed) {
                              if (failed)
                                return me->fail(failed.message());
                              me->send({{"type", "sidevoice.session.resume"}, {"after_seq", 0}});
                              me->read();
                            });
  }

  void read() {
    socket_.async_read(buffer_, [me = shared_from_this()](beast::error_code ec, std::size_t) {
      if (ec)
        return me->fail(ec.message());
      const auto text = beast::buffers_to_string(me->buffer_.cdata());
      me->buffer_.consume(me->buffer_.size());
      me->on_event(text);
      if (!me->ended_)
        me->read();
    });
  }

  void on_event(const std::string& text) {
    const auto now = steady::now();
    const auto event = json::parse(text);
    const auto& type = event["type"].get_ref<const std::string&>();
    if (type == "sidevoice.session.snapshot") {
      count_.open_ms.push_back(ms_between(opened_, now));
      pause();
    } else if (type == "conversation.item.added" && event["item"].value("id", "") == item_) {
      accepted_ = now;
      count_.accepted_ms.push_back(ms_between(sent_, now));
    } else if (type == "response.output_text.delta" && !spoken_) {
      spoken_ = true;
      count_.first_delta_ms.push_back(ms_between(accepted_, now));
      count_.send_to_delta_ms.push_back(ms_between(sent_, now));
    } else if (type == "response.done") {
      ++count_.done_turns;
      if (++turn_ < options_.turns)
        pause();
      else
        finish();
    } else if (type == "error") {
      fail(text);
    }
  }

  void pause() {
    if (options_.turns == 0)
      return finish();
    if (options_.think_ms == 0)
      return say();
    // Spread over half to one and a half of the thinking time, so that sessions do not march in
    // step.
    const auto spread = options_.think_ms / 2
                        + (number_ * 7919 + turn_ * 104729) % (options_.think_ms + 1);
    const auto due = steady::now() + std::chrono::milliseconds{spread};
    timer_.expires_at(due);
    timer_.async_wait([me = shared_from_this(), due](beast::error_code) {
      me->count_.slip_ms.push_back(ms_between(due, steady::now()));
      me->say();
    });
  }

  void say() {
    static constexpr const char* lines[] = {"My name is Anna Schmidt", "on 12 March 2027",
                                            "what do you still need?", "anna@example.com",
                                            "please go on"};
    item_ = "in_" + std::to_string(number_) + "_" + std::to_string(turn_);
    spoken_ = false;
    sent_ = steady::now();
    accepted_ = sent_;
    send({{"type", "conversation.item.create"},
          {"answer", true},
          {"item",
           {{"id", item_},
            {"type", "message"},
            {"role", "user"},
            {"content", {{{"type", "input_text"}, {"text", lines[turn_ % std::size(lines)]}}}}}}});
  }

  void send(const json& event) {
    auto text = std::make_shared<std::string>(event.dump());
    socket_.async_write(asio::buffer(*text),
                        [me = shared_from_this(), text](beast::error_code ec, std::size_t) {
                          if (ec)
                            me->fail(ec.message());
                        });
  }

  void finish() {
    ++count_.finished;
    timer_.expires_after(std::chrono::seconds{options_.linger_s});
    timer_.async_wait([me = shared_from_this()](beast::error_code) {
      me->ended_ = true;
      me->socket_.async_close(websocket::close_code::normal, [me](beast::error_code) {});
    });
  }

  void fail(const std::string& why) {
    if (ended_)
      return;
    ended_ = true;
    ++count_.errors;
    if (count_.errors < 5)
      std::cerr << "session " << number_ << ": " << why << '\n';
  }

  const load_options& options_;
  tally& count_;
  std::size_t number_;
  websocket::stream<beast::tcp_stream> socket_;
  asio::steady_timer timer_;
  beast::flat_buffer buffer_;
  steady::time_point opened_;
  steady::time_point sent_;
  steady::time_point accepted_;
  std::string item_;
  std::size_t turn_ = 0;
  bool spoken_ = false;
  bool ended_ = false;
};

} // namespace

int main(int argc, char** argv) {
  load_options options;
  CLI::App cli{"Load of typed sessions on a running server"};
  cli.add_option("--port", options.port)->required();
  cli.add_option("--key", options.key)->required();
  cli.add_option("--app", options.app);
  cli.add_option("--sessions", options.sessions);
  cli.add_option("--turns", options.turns);
  cli.add_option("--think-ms", options.think_ms);
  cli.add_option("--open-rate", options.open_rate);
  cli.add_option("--linger-s", options.linger_s);
  CLI11_PARSE(cli, argc, argv);

  asio::io_context io{1};
  tally count;
  const auto begin = steady::now();
  std::vector<std::unique_ptr<asio::steady_timer>> openers;
  for (std::size_t i = 0; i < options.sessions; ++i) {
    openers.push_back(std::make_unique<asio::steady_timer>(io));
    openers.back()->expires_at(begin
                               + std::chrono::microseconds{i * 1'000'000 / options.open_rate});
    openers.back()->async_wait(
      [&, i](beast::error_code) { std::make_shared<visitor>(io, options, count, i)->start(); });
  }
  io.run();
  const auto took = std::chrono::duration<double>(steady::now() - begin).count()
                    - static_cast<double>(options.linger_s);
  std::cout << json{{"sessions", options.sessions},
                    {"turns", count.done_turns},
                    {"errors", count.errors},
                    {"seconds", took},
                    {"turns_per_s", static_cast<double>(count.done_turns) / took},
                    {"open_ms", percentiles(count.open_ms)},
                    {"accepted_ms", percentiles(count.accepted_ms)},
                    {"accepted_to_first_delta_ms", percentiles(count.first_delta_ms)},
                    {"send_to_first_delta_ms", percentiles(count.send_to_delta_ms)},
                    {"client_slip_ms", percentiles(count.slip_ms)}}
                 .dump(2)
            << '\n';
  return count.errors == 0 ? 0 : 1;
}
