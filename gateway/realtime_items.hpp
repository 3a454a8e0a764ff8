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

/// The item as a client sees it: what was heard, never the unheard rest.
nlohmann::json item_to_json(const item& value);

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
  /// (rank, id), by rank.
  std::vector<std::pair<std::string, std::string>> items_;
};

} // namespace sidevoice
