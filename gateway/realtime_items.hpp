#pragma once

#include "gateway/realtime_wire.hpp"
#include "persistence/event.hpp"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Items of the Realtime protocol, both ways.
namespace sidevoice {

/// The id of another item, such as the one before; null where there is none.
nlohmann::json id_or_null(const std::string& id);

/// The item as a client sees it: what was heard, never the unheard rest. What a visitor has spoken
/// is input_audio, its transcript null until there are words; what the assistant has spoken is
/// output_audio `as_audio`, else text.
nlohmann::json item_to_json(const item& value, bool as_audio = false);

/// A part of a running answer's content, in the spelling of response.content_part.*: sound with its
/// transcript, or text.
nlohmann::json answer_part(bool as_audio, const std::string& text);
/// A part of an item's content: output_audio with its transcript, or output_text.
nlohmann::json answer_content(bool as_audio, const std::string& text);

/// A message of the assistant that is still being made: `in_progress`, without content.
nlohmann::json open_message(const std::string& id);
/// A function call that is still being made: `in_progress`, without arguments.
nlohmann::json open_call(const item& value);

/// Reads `item` of conversation.item.create. The id stays empty where the client gave none. Text
/// parts are joined by line breaks.
std::optional<realtime_fault> item_from_json(const nlohmann::json& body, item& out);

/// Ids that clients choose: 1 to 64 characters of A-Z, a-z, 0-9, `_` and `-`.
bool is_item_id(std::string_view id);

/// The order of a session's items, as far as this client needs it: who stands before whom.
class item_order {
public:
  void put(const std::string& rank, const std::string& id);
  /// A running answer's item: its place is behind what is there now. It is nobody's predecessor
  /// before it is shown, and `has` it not before it is put.
  void keep_place(const std::string& rank, const std::string& id);
  void show(const std::string& id);
  /// The answer has ended without putting it.
  void drop_place(const std::string& id);
  /// Of the last item.
  [[nodiscard]] std::string last_rank() const;
  /// False when there was no such item.
  bool remove(const std::string& id);
  void clear() {
    items_.clear();
  }

  [[nodiscard]] bool has(const std::string& id) const;
  /// The item before `id`; of an unknown one, the last item. Empty at the front.
  [[nodiscard]] std::string previous_of(const std::string& id) const;
  [[nodiscard]] std::vector<std::string> ids() const;

private:
  enum class state { put, kept, shown };
  struct entry {
    std::string rank;
    std::string id;
    state is = state::put;
  };
  void insert(entry fresh);

  /// By rank.
  std::vector<entry> items_;
};

} // namespace sidevoice
