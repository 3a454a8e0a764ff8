#include "gateway/upgrade.hpp"

#include "config/log.hpp"
#include "gateway/connection.hpp"
#include "gateway/protocol_realtime.hpp"

#include <chrono>

namespace sidevoice {

namespace {

constexpr std::chrono::seconds directory_deadline{5};

http_response response_of(const error& why) {
  if (why.code == errc::not_found)
    return to_response({404, "session_not_found",
                        "There is no such session, or the key is not for it. Leave `session` away "
                        "to begin a new one.",
                        "session"});
  auto response = to_response(
    {503, "session_unavailable", "The session cannot be opened just now. Try again in a moment."});
  response.fields.push_back({"Retry-After", why.code == errc::overloaded ? "5" : "1"});
  return response;
}

find_session where_of(const open_session& opened) {
  return {.app = opened.app,
          .id = opened.session,
          .create = opened.create,
          .user = opened.user,
          .locale = opened.locale,
          .zone = opened.zone};
}

/// Passes a socket's frames to its connection actor.
class actor_sink final : public frame_sink {
public:
  explicit actor_sink(connection_actor to) : to_(std::move(to)) {}

  void frame(std::shared_ptr<const std::string> text, bool binary) override {
    caf::anon_send(to_, client_frame{std::move(text), binary});
  }

  void gone(const std::string& reason) override {
    caf::anon_send(to_, client_gone{reason});
  }

private:
  connection_actor to_;
};

std::unique_ptr<frame_sink> bind_connection(const node_access& node, const open_session& opened,
                                            const session_actor& session,
                                            const std::shared_ptr<client_link>& link) {
  realtime_options options{.app = opened.app,
                           .session = opened.session,
                           .extensions = opened.extensions,
                           .may_set_instructions = opened.may_set_instructions,
                           .client_key = opened.client_key,
                           .ids = node.ids};
  auto parts = std::make_shared<connection_parts>();
  parts->directory = node.directory;
  parts->where = where_of(opened);
  parts->session = session;
  parts->codec = make_protocol_realtime(std::move(options));
  parts->link = link;
  parts->count = node.count;
  return std::make_unique<actor_sink>(spawn_connection(*node.sys, std::move(parts)));
}

} // namespace

void ask_directory(const node_access& node, const find_session& where,
                   std::function<void(result<session_actor>)> done) {
  // Lives for one question: nothing of it can crash another one.
  node.sys->spawn(
    [directory = node.directory, where, done = std::move(done)](caf::event_based_actor* self) {
      self->request(directory, directory_deadline, where)
        .then([done](const session_actor& session) { done(session); },
              [done](caf::error& why) { done(from_caf(why)); });
    });
}

public_site::public_site(router_parts parts, node_access node)
    : router_(std::move(parts)),
      node_(std::move(node)) {}

site_answer public_site::handle(const http_request& request) {
  const auto wall = node_.where->wall().time_since_epoch();
  const request_time at{node_.where->now(),
                        std::chrono::duration_cast<std::chrono::seconds>(wall).count()};
  auto answer = router_.handle(request, at);
  if (auto* response = std::get_if<http_response>(&answer))
    return std::move(*response);
  return upgrade_to(std::get<open_session>(answer));
}

http_upgrade public_site::upgrade_to(const open_session& opened) const {
  auto open = [node = node_, opened](const std::function<void(http_upgrade::outcome)>& done) {
    ask_directory(node, where_of(opened), [node, opened, done](result<session_actor> found) {
      if (!found) {
        log(log_level::info, "upgrade refused",
            {{"app", opened.app->id}, {"why", to_string(found.error().code)}});
        return done(response_of(found.error()));
      }
      done(bind_sink{[node, opened, session = *found](const std::shared_ptr<client_link>& link) {
        return bind_connection(node, opened, session, link);
      }});
    });
  };
  return {opened.subprotocol, std::move(open)};
}

} // namespace sidevoice
