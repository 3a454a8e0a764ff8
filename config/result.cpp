#include "config/result.hpp"

namespace sidevoice {

const char* to_string(errc code) {
  switch (code) {
    case errc::invalid:
      return "invalid";
    case errc::not_found:
      return "not_found";
    case errc::conflict:
      return "conflict";
    case errc::unauthorized:
      return "unauthorized";
    case errc::overloaded:
      return "overloaded";
    case errc::unavailable:
      return "unavailable";
    case errc::full:
      return "full";
    case errc::unknown_outcome:
      return "unknown_outcome";
    case errc::damaged:
      return "damaged";
  }
  return "unknown";
}

void throw_exception_from_error(const error& e, const boost::source_location& where) {
  throw std::logic_error(std::string{"unchecked "} + to_string(e.code) + " at " + where.file_name()
                         + ":" + std::to_string(where.line()) + ": " + e.detail);
}

} // namespace sidevoice
