#pragma once

#include "tests/lab/dice.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace sidevoice::lab {

/// A scripted person with a microphone, and the ear beside it: what a voice client does and keeps.
/// Its frames go through `send`.
class lab_microphone {
public:
  using sender = std::function<void(const nlohmann::json&)>;

  /// `rate` of its sound; `keeps`: what is not acknowledged is sent again after a break.
  lab_microphone(std::string name, std::uint32_t rate, bool keeps, sender send)
      : name_{std::move(name)},
        rate_{rate},
        keeps_{keeps},
        send_{std::move(send)} {}

  /// A new line to the server.
  void on_connected();
  void on_disconnected() {
    is_connected_ = false;
    has_voice_ = false;
  }

  /// Says something, makes a noise, or is silent; sends some of what was said.
  void act(dice& chance, std::uint64_t& next_sentence);
  /// If the agent was heard since, by chance says something that lasts long enough to interrupt it.
  bool break_in(dice& chance, std::uint64_t& next_sentence);
  /// Sends all that is left, and the silence that ends it.
  void finish();
  /// The next stretch of what is left. False: nothing is.
  bool pump(std::uint64_t ms);

  /// A frame of the server about sound.
  void on_event(const nlohmann::json& event, const std::string& type);

  [[nodiscard]] bool is_on() const {
    return is_on_;
  }
  /// The server has told it that the voice is its own. Who is not told takes it as it comes.
  [[nodiscard]] bool holds_voice() const {
    return is_connected_ && (has_voice_ || !keeps_);
  }
  /// Frames of sound that came, of whatever.
  [[nodiscard]] std::uint64_t sounds() const {
    return sounds_;
  }
  /// Sound received of an item, in ms.
  [[nodiscard]] std::uint64_t heard_ms(const std::string& item) const {
    const auto known = heard_ms_.find(item);
    return known == heard_ms_.end() ? 0 : known->second;
  }
  /// A sentence, and where it stood.
  struct sentence {
    std::uint64_t number = 0;
    std::string stream;
    std::uint64_t from_ms = 0;
    std::uint64_t to_ms = 0;
  };

  /// Sentences that were said whole on a stream that the server has acknowledged to their end.
  [[nodiscard]] std::vector<sentence> dealt_with() const;
  /// All of its stream has been acknowledged, or none is under way.
  [[nodiscard]] bool is_settled() const;

private:
  struct stretch {
    std::uint64_t from_ms = 0;
    std::uint64_t to_ms = 0;
    /// Loudness; 0: silence.
    std::int16_t level = 0;
    std::uint64_t sentence = 0;
    bool is_word = false;
  };

  void start();
  /// Goes on as text.
  void hang_up();
  void add(std::uint64_t ms, std::int16_t level, std::uint64_t sentence, bool is_word);
  [[nodiscard]] std::uint64_t end_ms() const {
    return said_.empty() ? 0 : said_.back().to_ms;
  }

  std::string name_;
  std::uint32_t rate_;
  bool keeps_;
  sender send_;
  bool is_connected_ = false;
  bool is_on_ = false;
  bool has_voice_ = false;
  std::uint64_t starts_ = 0;
  std::string stream_;
  std::vector<stretch> said_;
  std::uint64_t sent_ms_ = 0;
  std::uint64_t acknowledged_ms_ = 0;
  /// Sentences of earlier streams, as far as they were dealt with.
  std::vector<sentence> past_;
  /// Sound received by item.
  std::map<std::string, std::uint64_t> heard_ms_;
  std::string newest_item_;
  std::uint64_t sounds_ = 0;
  /// The agent, since it last did something.
  bool hears_ = false;
};

} // namespace sidevoice::lab
