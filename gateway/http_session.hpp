#pragma once

#include "gateway/port_context.hpp"

#include <boost/asio/ip/tcp.hpp>

namespace sidevoice {

/// Serves HTTP on an accepted socket, whose executor is a strand, until the connection ends or
/// becomes a WebSocket.
void start_http(boost::asio::ip::tcp::socket socket, port_context_ptr context);

} // namespace sidevoice
