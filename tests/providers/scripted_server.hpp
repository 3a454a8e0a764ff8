#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace sidevoice {

/// An HTTP server on loopback that does what a test's script says, byte by byte: one thread a
/// connection, real sockets.
class scripted_server {
public:
  /// One connection, in the script's hands.
  class peer {
  public:
    explicit peer(int socket, std::size_t number) : number(number), socket_(socket) {}

    /// The next request: head and body; empty when the client has closed.
    std::string read_request();
    /// False when the client has gone.
    bool write(const std::string& bytes);
    /// Waits until the client closes the connection.
    void wait_for_close();
    /// Ends the connection with a reset instead of a farewell.
    void reset();

    /// Counts from 1 in the order of accepting.
    const std::size_t number;

  private:
    int socket_;
    std::string unread_;
  };

  using script = std::function<void(peer&)>;

  explicit scripted_server(script run);
  scripted_server(const scripted_server&) = delete;
  scripted_server& operator=(const scripted_server&) = delete;
  /// Closes all connections and waits for their scripts.
  ~scripted_server();

  /// "http://127.0.0.1:PORT".
  [[nodiscard]] std::string url() const;
  [[nodiscard]] std::size_t connections() const {
    return accepted_;
  }
  /// Waits for so many scripts to have ended; false after ten seconds.
  bool wait_for_ended(std::size_t scripts);

private:
  void accept_all();
  void serve(int socket, std::size_t number);

  script run_;
  int listener_ = -1;
  unsigned port_ = 0;
  std::atomic<std::size_t> accepted_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t ended_ = 0;
  std::vector<int> sockets_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

/// A whole answer with its length.
std::string http_answer(const std::string& body, const std::string& status = "200 OK",
                        const std::string& fields = "");

/// One piece of a chunked body; an empty one ends it.
std::string http_chunk(const std::string& body);

} // namespace sidevoice
