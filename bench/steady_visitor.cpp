#include "bench/steady_visitor.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iostream>
#include <iterator>

namespace steady_bench {

namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using tcp = asio::ip::tcp;

constexpr milliseconds answer_patience{15'000};
/// Of one whose line has broken, as a page would wait.
constexpr milliseconds back_after{200};

double ms_between(steady::time_point from, steady::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

} // namespace

phase_tally& load_tally::at(steady::time_point when) {
  const auto holds = [when](const phase_tally& one) {
    return when >= one.from && when < one.until;
  };
  const auto found = std::find_if(phases.begin(), phases.end(), holds);
  return found == phases.end() ? outside : *found;
}

visitor::visitor(asio::io_context& io, const load_options& options, load_tally& count,
                 std::size_t number)
    : options_{options},
      count_{count},
      number_{number},
      io_{io},
      timer_{io},
      cutter_{io} {}

void visitor::start() {
  open();
  if (is_victim() && options_.cut_every_ms > 0) {
    cutter_.expires_at(count_.phases.at(options_.cut_from - 1).from);
    wait_to_cut();
  }
}

/// As a lost network does it: without a word.
void visitor::wait_to_cut() {
  cutter_.async_wait([me = shared_from_this()](beast::error_code ec) {
    if (ec || me->is_over())
      return;
    auto& line = beast::get_lowest_layer(*me->socket_).socket();
    beast::error_code ignored;
    line.set_option(asio::socket_base::linger{true, 0}, ignored);
    line.close(ignored);
    me->cutter_.expires_after(milliseconds{me->options_.cut_every_ms});
    me->wait_to_cut();
  });
}

bool visitor::is_over() const {
  return is_gone_ || steady::now() >= count_.end;
}

phase_tally& visitor::tally(steady::time_point when) {
  return is_victim() ? count_.victims : count_.at(when);
}

void visitor::open() {
  if (is_over())
    return;
  opened_ = steady::now();
  buffer_.clear();
  socket_ = std::make_shared<socket>(io_);
  beast::get_lowest_layer(*socket_).async_connect(
    tcp::endpoint{asio::ip::address_v4::loopback(), options_.port},
    [me = shared_from_this()](beast::error_code ec) {
      if (ec)
        return me->on_lost(ec.message());
      beast::get_lowest_layer(*me->socket_).socket().set_option(tcp::no_delay{true});
      me->shake_hands();
    });
}

void visitor::shake_hands() {
  socket_->set_option(
    websocket::stream_base::decorator([key = options_.key](websocket::request_type& request) {
      request.set(beast::http::field::authorization, "Bearer " + key);
      request.set(beast::http::field::sec_websocket_protocol, "sidevoice.v1");
    }));
  auto path = "/v1/realtime?model=" + options_.app;
  if (!session_.empty())
    path += "&session=" + session_;
  socket_->async_handshake(
    "127.0.0.1:" + std::to_string(options_.port), path,
    [me = shared_from_this()](beast::error_code ec) {
      if (ec == websocket::error::upgrade_declined)
        return me->on_refused();
      if (ec)
        return me->on_lost(ec.message());
      me->send({{"type", "sidevoice.session.resume"}, {"after_seq", me->seq_}});
      me->read();
    });
}

void visitor::on_refused() {
  auto& here = tally(opened_);
  ++here.refused_opens;
  here.refused.push_back(ms_between(opened_, steady::now()));
  come_back(milliseconds{options_.retry_ms});
}

void visitor::on_lost(const std::string& why) {
  if (is_over())
    return;
  if (!is_victim() && !options_.is_tolerant)
    return fail(why);
  ++count_.lost_lines;
  come_back(back_after);
}

void visitor::come_back(milliseconds wait) {
  waits_ = false;
  timer_.expires_after(wait);
  timer_.async_wait([me = shared_from_this()](beast::error_code ec) {
    if (!ec)
      me->open();
  });
}

void visitor::read() {
  const auto mine = socket_;
  mine->async_read(buffer_, [me = shared_from_this(), mine](beast::error_code ec, std::size_t) {
    if (mine != me->socket_ || me->is_gone_)
      return;
    if (ec)
      return me->on_lost(ec.message());
    const auto text = beast::buffers_to_string(me->buffer_.cdata());
    me->buffer_.consume(me->buffer_.size());
    me->on_event(text);
    if (!me->is_gone_ && mine == me->socket_)
      me->read();
  });
}

void visitor::on_event(const std::string& text) {
  const auto now = steady::now();
  const auto event = json::parse(text);
  const auto& type = event["type"].get_ref<const std::string&>();
  if (const auto seq = event.find("seq"); seq != event.end() && seq->is_number_unsigned())
    seq_ = std::max(seq_, seq->get<std::uint64_t>());
  if (type == "session.created") {
    session_ = event["session"].value("id", "");
    if (is_victim())
      count_.victim_ids.insert(session_);
  } else if (type == "sidevoice.session.snapshot" || type == "sidevoice.session.resumed") {
    if (!waits_)
      pause();
  } else if (type == "conversation.item.added" && waits_ && !is_accepted_
             && event["item"].value("id", "") == item_) {
    is_accepted_ = true;
    tally(sent_).accepted.push_back(ms_between(sent_, now));
  } else if (type == "response.output_text.delta" && waits_ && is_accepted_ && !has_spoken_) {
    has_spoken_ = true;
    tally(sent_).first_delta.push_back(ms_between(sent_, now));
  } else if (type == "response.done" && waits_ && is_accepted_) {
    auto& here = tally(sent_);
    ++here.turns;
    here.done.push_back(ms_between(sent_, now));
    pause();
  } else if (type == "error") {
    on_error(event);
  }
}

void visitor::on_error(const json& event) {
  if (!options_.is_tolerant && !is_victim())
    return fail(event.dump());
  auto& here = tally(waits_ ? sent_ : steady::now());
  ++here.refused_turns;
  if (!waits_)
    return;
  here.refused.push_back(ms_between(sent_, steady::now()));
  pause();
}

void visitor::pause() {
  waits_ = false;
  // Spread over half to one and a half of the thinking time: sessions do not march in step.
  const auto spread = options_.think_ms / 2
                      + (number_ * 7919 + turn_ * 104729) % (options_.think_ms + 1);
  const auto due = steady::now() + milliseconds{spread};
  timer_.expires_at(due);
  timer_.async_wait([me = shared_from_this(), due](beast::error_code ec) {
    if (ec)
      return;
    if (me->is_over()) {
      me->is_gone_ = true;
      return me->socket_->async_close(websocket::close_code::normal, [me](beast::error_code) {});
    }
    me->tally(due).slip.push_back(ms_between(due, steady::now()));
    me->say();
  });
}

void visitor::say() {
  static constexpr const char* lines[] = {"My name is Anna Schmidt", "on 12 March 2027",
                                          "what do you still need?", "anna@example.com",
                                          "please go on"};
  item_ = "in_" + std::to_string(number_) + "_" + std::to_string(turn_);
  waits_ = true;
  is_accepted_ = false;
  has_spoken_ = false;
  sent_ = steady::now();
  const auto* line = lines[turn_++ % std::size(lines)];
  send({{"type", "conversation.item.create"},
        {"answer", true},
        {"item",
         {{"id", item_},
          {"type", "message"},
          {"role", "user"},
          {"content", {{{"type", "input_text"}, {"text", line}}}}}}});
  timer_.expires_after(answer_patience);
  timer_.async_wait([me = shared_from_this()](beast::error_code ec) {
    if (!ec)
      me->on_no_answer();
  });
}

void visitor::on_no_answer() {
  auto& here = tally(sent_);
  if (++here.errors < 5 && !is_victim() && !options_.is_tolerant)
    std::cerr << "session " << number_ << ": no answer to " << item_ << '\n';
  pause();
}

void visitor::send(const json& event) {
  const auto text = std::make_shared<std::string>(event.dump());
  socket_->async_write(asio::buffer(*text),
                       [text](beast::error_code, std::size_t) { /* reading notices it as well */ });
}

void visitor::fail(const std::string& why) {
  if (is_gone_)
    return;
  is_gone_ = true;
  timer_.cancel();
  if (++tally(steady::now()).errors < 5)
    std::cerr << "session " << number_ << ": " << why << '\n';
}

} // namespace steady_bench
