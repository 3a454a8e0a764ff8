#include "cluster/supervision_tree.hpp"

#include "actors/analyzer.hpp"
#include "actors/audio.hpp"
#include "actors/conversation.hpp"
#include "actors/session.hpp"
#include "actors/stt.hpp"
#include "actors/tts.hpp"

/// The whole supervision tree, as two lists. /debug/tree prints the same names live.
namespace sidevoice {

std::vector<std::string> node_tree_names() {
  return {
    "store",     // the journal's writer thread; without it the process ends
    "directory", // session -> its supervisor; one per node
    "sessions",  // one supervisor each, below
    "gateway",   // listener, sockets, one connection actor per socket
  };
}

session_tree make_session_tree() {
  const auto conversation = [](caf::actor_system& sys, const node_parts& parts,
                               const find_session& who, const session_actor& session) {
    return caf::actor_cast<caf::actor>(spawn_conversation(sys, parts, session, who.id));
  };
  const auto analyzer = [](caf::actor_system& sys, const node_parts& parts, const find_session& who,
                           const session_actor& session) {
    return caf::actor_cast<caf::actor>(spawn_analyzer(sys, parts, session, who.id));
  };
  const auto audio = [](caf::actor_system& sys, const node_parts& parts, const find_session& who,
                        const session_actor& session, const start_voice& seat) {
    return caf::actor_cast<caf::actor>(spawn_audio(sys, parts, who, session, seat));
  };
  const auto stt = [](caf::actor_system& sys, const node_parts& parts, const find_session& who,
                      const session_actor& session, const start_voice& seat) {
    return caf::actor_cast<caf::actor>(spawn_stt(sys, parts, who, session, seat));
  };
  const auto tts = [](caf::actor_system& sys, const node_parts& parts, const find_session& who,
                      const session_actor& session, const start_voice& seat) {
    return caf::actor_cast<caf::actor>(spawn_tts(sys, parts, who, session, seat));
  };
  return {
    // A crash rebuilds it from the journal and restarts all below (rest for one).
    .session = spawn_session,
    .children =
      {
        {"conversation",
         conversation},         // restarted alone; the session decides what becomes of its response
        {"analyzer", analyzer}, // restarted alone; continues from the last analysis
      },
    // While somebody holds the voice seat. Each is restarted alone; the connection gives it again
    // what it had of what is not settled. Too many crashes cost the seat, not the session.
    .voice =
      {
        {"audio", audio}, // turn taking
        {"stt", stt},     // sound to words
        {"tts", tts},     // words to sound
      },
  };
}

std::vector<std::string> session_tree_names(bool with_voice) {
  std::vector<std::string> names{"session"};
  const auto tree = make_session_tree();
  for (const auto& child : tree.children)
    names.emplace_back(child.name);
  if (with_voice)
    for (const auto& child : tree.voice)
      names.emplace_back(child.name);
  return names;
}

} // namespace sidevoice
