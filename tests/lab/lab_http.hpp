#pragma once

#include "providers/http.hpp"
#include "tests/lab/dice.hpp"

#include <functional>
#include <map>
#include <string>

namespace sidevoice::lab {

/// The other side of webhook tools: does what it is asked, or breaks before, in the middle of or
/// after it. What it has done outlives the nodes that asked.
class lab_http final : public http_client {
public:
  /// `before` is called with the call id and the tool's name for whatever arrives.
  lab_http(loop& where, dice& chance,
           std::function<void(const std::string& call, const std::string& tool)> before);

  [[nodiscard]] std::unique_ptr<http_transfer> start(http_call call, http_sink sink) override;

  /// How often a call was carried out, by its id.
  [[nodiscard]] const std::map<std::string, int>& done() const {
    return done_;
  }

  /// The node is another one, with a loop of its own.
  void use(loop& where) {
    where_ = &where;
  }

  /// Percent of the exchanges that break somewhere.
  std::uint64_t break_percent = 0;

private:
  class transfer;

  loop* where_;
  dice& chance_;
  std::function<void(const std::string& call, const std::string& tool)> before_;
  std::map<std::string, int> done_;
};

} // namespace sidevoice::lab
