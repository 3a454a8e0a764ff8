#pragma once

#include <boost/system/result.hpp>

#include <stdexcept>
#include <string>

namespace sidevoice {

/// What the reader of an error can do about it.
enum class errc {
  /// The request is wrong and stays wrong: mend it. `param` names the field.
  invalid,
  /// No such thing, or not yours: both look the same from outside.
  not_found,
  /// It exists already, or somebody else was faster: read again, then decide.
  conflict,
  /// The credential is missing or wrong.
  unauthorized,
  /// A limit was reached: try later.
  overloaded,
  /// The part is down or slow: try again, the same request is safe to repeat.
  unavailable,
  /// No room to write: an operator has to act; nothing was stored.
  full,
  /// It may or may not have happened: read back before you repeat it.
  unknown_outcome,
  /// Stored data is damaged: an operator has to act.
  damaged,
};

/// The spelling that logs and metrics use, such as "not_found".
const char* to_string(errc code);

/// An operating error. `detail` is a sentence for people; it never holds credentials or what a user
/// said.
struct error {
  errc code = errc::unavailable;
  std::string detail;
  /// The field at fault, such as "session.type"; empty where there is none.
  std::string param = {};
  /// A stable name for machines where the code is too coarse, such as "response_active".
  std::string reason = {};

  bool operator==(const error&) const = default;
};

/// Makes `result<T>::value()` throw: whoever calls it without a check has made a programming error.
[[noreturn]] void throw_exception_from_error(const error& e, const boost::source_location& where);

template <class T>
using result = boost::system::result<T, error>;

} // namespace sidevoice
