#include "actors/messages.hpp"

namespace sidevoice {

namespace {

constexpr auto category = caf::atom("sidevoice");

} // namespace

caf::error to_caf(const error& e) {
  // errc begins at 0, and a code of 0 means "no error" to CAF.
  return {static_cast<std::uint8_t>(static_cast<int>(e.code) + 1), category,
          caf::make_message(e.detail, e.param, e.reason)};
}

error from_caf(const caf::error& e) {
  if (e.category() == category
      && e.context().match_elements<std::string, std::string, std::string>())
    return {static_cast<errc>(e.code() - 1), e.context().get_as<std::string>(0),
            e.context().get_as<std::string>(1), e.context().get_as<std::string>(2)};
  return {errc::unavailable, "the session gave no answer; try again", {}, "no_answer"};
}

} // namespace sidevoice
