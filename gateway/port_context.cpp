#include "gateway/port_context.hpp"

#include <utility>
#include <vector>

namespace sidevoice {

socket_register::ticket socket_register::enter(const std::shared_ptr<socket_register>& self,
                                               const std::shared_ptr<open_socket>& socket,
                                               bool websocket) {
  const std::lock_guard lock{self->mutex_};
  if (self->stopping_ || self->entries_.size() >= self->sockets_max_)
    return nullptr;
  const auto key = self->next_++;
  self->entries_.emplace(key, entry{socket, websocket ? socket : nullptr});
  self->websockets_ += websocket ? 1 : 0;
  // Any pointer but null: a ticket that is there has to look so.
  return {self.get(), [self, key](void*) { self->leave(key); }};
}

void socket_register::leave(std::size_t key) {
  std::function<void()> empty;
  entry gone; // ends behind the lock: it may be the last that holds the socket
  {
    const std::lock_guard lock{mutex_};
    const auto found = entries_.find(key);
    if (found == entries_.end())
      return; // abandoned
    gone = std::move(found->second);
    entries_.erase(found);
    websockets_ -= gone.kept ? 1 : 0;
    if (entries_.empty())
      empty = std::exchange(on_empty_, nullptr);
  }
  if (empty)
    empty();
}

void socket_register::shut_down(std::function<void()> on_empty) {
  std::vector<std::shared_ptr<open_socket>> sockets;
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    for (const auto& [key, entry] : entries_)
      if (auto socket = entry.socket.lock())
        sockets.push_back(std::move(socket));
    if (!entries_.empty())
      on_empty_ = std::exchange(on_empty, nullptr);
  }
  for (const auto& socket : sockets)
    socket->shut_down();
  if (on_empty)
    on_empty();
}

void socket_register::abandon() {
  std::unordered_map<std::size_t, entry> gone;
  const std::lock_guard lock{mutex_};
  gone.swap(entries_);
  websockets_ = 0;
}

bool socket_register::stopping() const {
  const std::lock_guard lock{mutex_};
  return stopping_;
}

std::size_t socket_register::size() const {
  const std::lock_guard lock{mutex_};
  return entries_.size();
}

std::size_t socket_register::websockets() const {
  const std::lock_guard lock{mutex_};
  return websockets_;
}

} // namespace sidevoice
