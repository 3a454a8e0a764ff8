#pragma once

#include "actors/turn_taking.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

/// For the tests of turn taking: a visitor who speaks while time is turned by hand.
namespace sidevoice::turn_talk {

using namespace std::chrono_literals;

using time = turn_taking::time;
using actions = turn_taking::actions;

template <class T>
std::size_t count(const actions& all) {
  std::size_t n = 0;
  for (const auto& one : all)
    n += std::holds_alternative<T>(one) ? 1U : 0U;
  return n;
}

template <class T>
const T& only(const actions& all) {
  REQUIRE(count<T>(all) == 1);
  for (const auto& one : all)
    if (const auto* found = std::get_if<T>(&one))
      return *found;
  throw std::logic_error("there is one");
}

/// An answer that the visitor hears now.
inline playout_point heard(const std::string& item = "item_a", std::uint32_t played = 1200) {
  return {.item = item, .sent_ms = 1400, .played_ms = played, .heard_text = 18, .audible = true};
}

/// A visitor who speaks while time is turned by hand.
struct talk {
  turn_taking turns;
  turn_taking::settings how;
  time now{std::chrono::hours{1}};

  talk() {
    turns.set(how);
  }

  template <class Change>
  talk& with(Change change) {
    change(how);
    turns.set(how);
    return *this;
  }

  actions edge(edge_kind kind, const std::string& id, std::uint32_t voiced, playout_point at = {},
               std::uint32_t silence = 0, bool manual = false) {
    speech_edge e;
    e.kind = kind;
    e.utterance = id;
    e.stream = "mic";
    e.from_ms = 1000;
    e.at_ms = 1000 + voiced + silence;
    e.voiced_ms = voiced;
    e.silence_ms = silence;
    e.manual = manual;
    e.playing = std::move(at);
    if (kind == edge_kind::paused)
      e.tail = std::make_shared<const std::vector<std::int16_t>>(160);
    return turns.on_edge(e, now);
  }
  actions begin(const std::string& id, playout_point at = {}) {
    return edge(edge_kind::begun, id, 0, std::move(at));
  }
  actions pause(const std::string& id, std::uint32_t voiced) {
    return edge(edge_kind::paused, id, voiced, {}, 200);
  }
  actions end(const std::string& id, std::uint32_t voiced, std::uint32_t silence = 500) {
    return edge(edge_kind::ended, id, voiced, {}, silence);
  }
  actions commit(const std::string& id) {
    return turns.on_committed(id, {id, false}, now);
  }
  actions partial(const std::string& id, const std::string& text) {
    return turns.on_text({id, text, false, false}, now);
  }
  actions words(const std::string& id, const std::string& text) {
    return turns.on_text({id, text, true, false}, now);
  }
  actions after(std::chrono::milliseconds passed) {
    now += passed;
    return turns.on_time(now);
  }
  /// The whole of an utterance, up to its words.
  actions say(const std::string& id, std::uint32_t voiced, const std::string& text,
              playout_point at = {}) {
    begin(id, std::move(at));
    end(id, voiced);
    commit(id);
    return words(id, text);
  }
};

} // namespace sidevoice::turn_talk
