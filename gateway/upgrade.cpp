#include "gateway/upgrade.hpp"

#include "config/log.hpp"
#include "gateway/connection.hpp"
#include "gateway/protocol_realtime.hpp"

#include <chrono>

namespace sidevoice {

namespace {

constexpr std::chrono::seconds directory_deadline{5};
constexpr std::chrono::seconds limit_pause{10};
/// Clients of a server that stops come back spread over this time.
constexpr std::uint64_t reconnect_spread_ms = 1000;
constexpr rate_limit logged_refusals{20, std::chrono::seconds{3}};

http_response response_of(const error& why, const std::string& session) {
  if (why.code == errc::not_found)
    return to_response({404, "session_not_found",
                        "There is no such session, or the key is not for it. Leave `session` away "
                        "to begin a new one.",
                        "session"});
  if (why.code == errc::damaged)
    return refuse_damaged(session, why.param);
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

/// Passes a socket's frames to its connection actor; the socket counts as open while it is there.
class actor_sink final : public frame_sink {
public:
  actor_sink(connection_actor to, std::shared_ptr<open_links::place> place)
      : to_(std::move(to)),
        place_(std::move(place)) {}

  void frame(std::shared_ptr<const std::string> text, bool binary) override {
    caf::anon_send(to_, client_frame{std::move(text), binary});
  }

  void gone(const std::string& reason) override {
    caf::anon_send(to_, client_gone{reason});
  }

private:
  connection_actor to_;
  std::shared_ptr<open_links::place> place_;
};

session_rights rights_of(const open_session& opened, const app_registry* apps) {
  session_rights rights{.may_set = {}, .preset = opened.preset};
  if (!opened.by_server_key)
    rights.may_set = [apps, app = opened.app->id] { return apps->live_of(app)->client_may_set; };
  return rights;
}

voice_abilities voice_of(const node_access& node, const app_definition& app) {
  if (node.vad == nullptr || node.clock == nullptr)
    return {};
  return node.voice_of ? node.voice_of(app) : voice_abilities{true, true};
}

std::unique_ptr<frame_sink> bind_connection(const node_access& node, const open_session& opened,
                                            session_rights rights, const session_actor& session,
                                            std::shared_ptr<open_links::place> place,
                                            const std::shared_ptr<client_link>& link) {
  const auto voice = voice_of(node, *opened.app);
  realtime_options options{.app = opened.app,
                           .session = opened.session,
                           .extensions = opened.extensions,
                           .rights = std::move(rights),
                           .client_key = opened.client_key,
                           .ids = node.ids,
                           .hears = voice.hears,
                           .speaks = voice.speaks};
  auto parts = std::make_shared<connection_parts>();
  parts->directory = node.directory;
  parts->where = where_of(opened);
  parts->session = session;
  parts->codec = make_protocol_realtime(std::move(options));
  parts->link = link;
  parts->count = node.count;
  parts->vad = node.vad;
  parts->judges_turns = voice_of(node, *opened.app).judges_turns;
  parts->ids = node.ids;
  parts->clock = node.clock;
  parts->may_begin_to_talk = node.may_begin_to_talk;
  const auto connection = spawn_connection(*node.sys, std::move(parts));
  auto sink = std::make_unique<actor_sink>(connection, place);
  place->occupy(link, [connection, ids = node.ids](bool attached) {
    const std::chrono::milliseconds jitter{
      static_cast<std::int64_t>(ids->random() % reconnect_spread_ms)};
    caf::anon_send(connection, leave_server{jitter, attached});
  });
  return sink;
}

} // namespace

namespace {

/// Whoever was just going to sleep, or was found not to be there, is asked for anew.
constexpr int questions_max = 5;

void ask(caf::event_based_actor* self, const directory_actor& directory, const find_session& where,
         const std::function<void(result<session_actor>)>& done, int left) {
  self->request(directory, directory_deadline, where)
    .then([done](const session_actor& session) { done(session); },
          [self, directory, where, done, left](caf::error& why) {
            const auto fault = from_caf(why);
            const auto gone = why.category() == caf::atom("system")
                              && why != caf::sec::request_timeout;
            if (left > 1 && (gone || fault.reason == "stopping"))
              return ask(self, directory, where, done, left - 1);
            done(fault);
          });
}

} // namespace

void ask_directory(const node_access& node, const find_session& where,
                   std::function<void(result<session_actor>)> done) {
  // Lives for one question: nothing of it can crash another one.
  node.sys->spawn(
    [directory = node.directory, where, done = std::move(done)](caf::event_based_actor* self) {
      // A session that hangs says goodbye to whoever has asked for it; this one is gone by then.
      self->set_down_handler([](const caf::down_msg&) {});
      ask(self, directory, where, done, questions_max);
    });
}

namespace {

router_parts with(router_parts parts, const damaged_sessions& damaged) {
  parts.damaged = &damaged;
  return parts;
}

} // namespace

public_site::public_site(router_parts parts, node_access node, std::shared_ptr<open_links> links,
                         proxy_list proxies)
    : apps_(parts.apps),
      router_(with(std::move(parts), *damaged_)),
      node_(std::move(node)),
      links_(std::move(links)),
      proxies_(std::move(proxies)) {}

site_answer public_site::handle(const http_request& request) {
  if (const auto remote = proxies_.client_of(request); remote != request.remote) {
    auto seen = request;
    seen.remote = remote;
    return answer(seen);
  }
  return answer(request);
}

site_answer public_site::answer(const http_request& request) {
  const auto wall = node_.where->wall().time_since_epoch();
  const request_time at{node_.where->now(),
                        std::chrono::duration_cast<std::chrono::seconds>(wall).count()};
  auto answer = router_.handle(request, at);
  if (auto* response = std::get_if<http_response>(&answer)) {
    if (response->status == 503 && error_code_of(*response) == overload_code)
      node_.count->add(counter::sessions_shed);
    return response->status == 429 ? refused(std::move(*response), request) : std::move(*response);
  }
  return enter(request, std::get<open_session>(answer));
}

http_response public_site::refused(http_response response, const http_request& request) {
  node_.count->add(counter::requests_limited);
  const std::lock_guard lock{log_mutex_};
  if (log_rate_.take(logged_refusals, node_.where->now()).count() == 0)
    log(log_level::warning, "request.limited",
        {{"path", request.path},
         {"from", account_of(request.remote)},
         {"limit", error_code_of(response)}});
  return response;
}

site_answer public_site::enter(const http_request& request, const open_session& opened) {
  const auto limits = apps_->live_of(opened.app->id)->limits;
  auto place = links_->enter({.app = opened.app->id,
                              .session = opened.session,
                              .key = opened.key,
                              .address = opened.by_server_key ? "" : account_of(request.remote)},
                             limits.sessions);
  if (!place)
    return refused(refuse_limit(place.error().reason, place.error().detail, limit_pause), request);
  auto upgrade = upgrade_to(opened, *place);
  if (opened.perhaps_new && node_.journal != nullptr && node_.refuse_newcomer)
    if (auto refusal = node_.refuse_newcomer(newcomer::keyed))
      return unless_new(opened, std::move(*refusal), std::move(upgrade));
  return upgrade;
}

/// There is no room for a new session: the journal says whether it is one, before any actor is
/// made.
http_upgrade public_site::unless_new(const open_session& opened, http_response refusal,
                                     http_upgrade upgrade) const {
  auto open = [journal = node_.journal, count = node_.count,
               key = session_key{opened.app->id, opened.session}, refusal = std::move(refusal),
               go_on = std::move(upgrade.open)](std::function<void(http_upgrade::outcome)> done) {
    journal->ask(read_events{key, 0, 1},
                 [refusal, go_on, count, done = std::move(done)](const result<events_page>& first) {
                   // A damaged one was there before, and is refused as what it is.
                   if (first ? !first->events.empty() : first.error().code == errc::damaged)
                     return go_on(done);
                   count->add(counter::sessions_shed);
                   done(refusal);
                 });
  };
  return {upgrade.subprotocol, std::move(open)};
}

http_upgrade public_site::upgrade_to(const open_session& opened,
                                     const std::shared_ptr<open_links::place>& place) const {
  auto open = [node = node_, apps = apps_, opened, place,
               damaged = damaged_](const std::function<void(http_upgrade::outcome)>& done) {
    ask_directory(node, where_of(opened),
                  [node, apps, opened, place, damaged, done](result<session_actor> found) {
                    if (!found) {
                      log(log_level::info, "upgrade refused",
                          {{"app", opened.app->id}, {"why", to_string(found.error().code)}});
                      if (found.error().code == errc::damaged)
                        damaged->add({opened.app->id, opened.session}, found.error().param);
                      return done(response_of(found.error(), opened.session));
                    }
                    damaged->remove({opened.app->id, opened.session});
                    done(bind_sink{[node, apps, opened, place,
                                    session = *found](const std::shared_ptr<client_link>& link) {
                      return bind_connection(node, opened, rights_of(opened, apps), session, place,
                                             link);
                    }});
                  });
  };
  return {opened.subprotocol, std::move(open)};
}

} // namespace sidevoice
