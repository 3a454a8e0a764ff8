#include "tests/providers/scripted_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <stdexcept>

namespace sidevoice {

std::string scripted_server::peer::read_request() {
  std::array<char, 16384> buffer{};
  for (;;) {
    const auto head = unread_.find("\r\n\r\n");
    if (head != std::string::npos) {
      constexpr std::string_view field = "Content-Length: ";
      const auto at = unread_.substr(0, head).find(field);
      const auto length = at == std::string::npos
                            ? 0
                            : std::strtoul(unread_.c_str() + at + field.size(), nullptr, 10);
      if (const auto end = head + 4 + length; unread_.size() >= end) {
        auto out = unread_.substr(0, end);
        unread_.erase(0, end);
        return out;
      }
    }
    const auto got = ::recv(socket_, buffer.data(), buffer.size(), 0);
    if (got <= 0)
      return {};
    unread_.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

bool scripted_server::peer::write(const std::string& bytes) {
  for (std::size_t sent = 0; sent < bytes.size();) {
    const auto now = ::send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (now <= 0)
      return false;
    sent += static_cast<std::size_t>(now);
  }
  return true;
}

void scripted_server::peer::wait_for_close() {
  std::array<char, 4096> buffer{};
  while (::recv(socket_, buffer.data(), buffer.size(), 0) > 0) {}
}

void scripted_server::peer::reset() {
  const linger at_once{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

scripted_server::scripted_server(script run) : run_(std::move(run)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (listener_ < 0 || ::bind(listener_, generic, size) != 0 || ::listen(listener_, 64) != 0
      || ::getsockname(listener_, generic, &size) != 0)
    throw std::runtime_error{"no listener on loopback"};
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread{[this] { accept_all(); }};
}

scripted_server::~scripted_server() {
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard guard{mutex_};
    for (const int socket : sockets_)
      ::shutdown(socket, SHUT_RDWR);
  }
  for (auto& thread : threads_)
    thread.join();
  ::close(listener_);
}

std::string scripted_server::url() const {
  return "http://127.0.0.1:" + std::to_string(port_);
}

bool scripted_server::wait_for_ended(std::size_t scripts) {
  std::unique_lock lock{mutex_};
  return changed_.wait_for(lock, std::chrono::seconds{10}, [&] { return ended_ >= scripts; });
}

void scripted_server::accept_all() {
  for (;;) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0)
      return;
    const std::lock_guard guard{mutex_};
    sockets_.push_back(socket);
    threads_.emplace_back([this, socket, number = ++accepted_] { serve(socket, number); });
  }
}

void scripted_server::serve(int socket, std::size_t number) {
  peer one{socket, number};
  run_(one);
  const std::lock_guard guard{mutex_};
  sockets_.erase(std::find(sockets_.begin(), sockets_.end(), socket));
  ::close(socket);
  ++ended_;
  changed_.notify_all();
}

std::string http_answer(const std::string& body, const std::string& status,
                        const std::string& fields) {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n"
         + fields + "\r\n" + body;
}

std::string http_chunk(const std::string& body) {
  std::array<char, 32> size{};
  std::snprintf(size.data(), size.size(), "%zx\r\n", body.size());
  return size.data() + body + "\r\n";
}

} // namespace sidevoice
