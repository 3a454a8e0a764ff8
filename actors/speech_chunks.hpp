#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// Cuts an answer's text into what is spoken in one go. Pure.
namespace sidevoice {

/// Where the next chunk ends that begins at byte `from` of the text so far: 0 where more text is
/// needed. The first chunk of an answer is its first clause, however short, so that speech begins
/// early; later ones are sentences of some length, since engines sound better that way. A chunk has
/// at most 240 bytes and never ends within a code point or, where it can be helped, a word.
/// `complete`: no more text comes.
std::size_t next_chunk(std::string_view text, std::size_t from, bool complete);

/// The chunk as it is to be said: without marks of formatting (`*`, `_`, `#`, backquotes), link
/// targets, emoji and control characters; "&" as "and". May be empty.
std::string speakable(std::string_view chunk);

} // namespace sidevoice
