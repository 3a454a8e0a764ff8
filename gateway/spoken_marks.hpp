#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

/// Which byte of a text is spoken at which sample. Plain.
namespace sidevoice {

class spoken_marks {
public:
  /// The text is spoken up to this byte at this sample. Neither goes back; what does is taken to
  /// stand where the mark before stood.
  void add(std::size_t text_end, std::uint64_t at);

  /// Forgets what comes after this sample.
  void cut(std::uint64_t at);

  /// Between two marks in proportion; behind the last one that.
  [[nodiscard]] std::size_t text_at(std::uint64_t at) const;
  /// The end of the last mark.
  [[nodiscard]] std::size_t text_end() const;

private:
  struct mark {
    std::size_t text_end = 0;
    std::uint64_t at = 0;
  };
  /// Begins at 0, 0; both rise.
  std::vector<mark> marks_{mark{}};
};

} // namespace sidevoice
