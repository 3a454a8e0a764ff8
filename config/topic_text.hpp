#pragma once

#include <optional>
#include <string>
#include <string_view>

/// The kinds of text that topics hold. Each function returns the canonical form, or nothing where
/// the text is none of its kind.
namespace sidevoice {

/// Without blanks (also no-break spaces) at both ends.
std::string trimmed(std::string_view text);

/// One line: trimmed, each run of blanks and line breaks one space.
std::string single_spaced(std::string_view text);

/// Only ASCII letters change.
std::string lower_ascii(std::string_view text);

/// Code points of valid UTF-8.
std::size_t length_of(std::string_view text);

/// Up to 2,000 characters on any number of lines, no control characters.
std::optional<std::string> canonical_text(std::string_view text);

/// Up to 200 characters with at least one letter and no digit or @.
std::optional<std::string> canonical_person_name(std::string_view text);

/// 2 to 500 characters with at least one letter or digit.
std::optional<std::string> canonical_address(std::string_view text);

/// local@domain.tld of up to 254 bytes (RFC 5321); the domain in small letters. Quoted local parts
/// and address literals are refused: nobody means them.
std::optional<std::string> canonical_email(std::string_view text);

} // namespace sidevoice
