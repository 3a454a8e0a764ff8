#pragma once

#include "config/loop.hpp"
#include "providers/fake_openai.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <cstddef>
#include <memory>

namespace sidevoice::cli {

/// What all connections of a fake provider share; one thread.
struct fake_context {
  fake_openai& service;
  loop& where;
  /// Connections now, and at most.
  std::size_t open = 0;
  std::size_t open_max = 4096;
};

/// Serves requests on the socket until either side closes it. `context` outlives the executor's
/// work.
void start_fake_connection(boost::asio::ip::tcp::socket socket, fake_context& context);

} // namespace sidevoice::cli
