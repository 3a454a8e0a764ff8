#include "config/time_zone.hpp"

#include <algorithm>
#include <array>
#include <fstream>

namespace sidevoice {

namespace {

constexpr std::string_view zone_folder = "/usr/share/zoneinfo/";
/// The largest file of the database has some 4 KiB.
constexpr std::size_t zone_bytes_max = 65'536;

/// Letters, digits and a few signs; no way out of the folder.
bool is_zone_name(std::string_view name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'
           || c == '-' || c == '+' || c == '/';
  };
  return !name.empty() && name.size() <= 64 && name.front() != '/'
         && std::all_of(name.begin(), name.end(), good);
}

/// Big-endian, sign-extended.
std::int64_t integer(std::string_view bytes) {
  auto value = static_cast<std::uint64_t>(static_cast<signed char>(bytes.front()));
  for (const auto byte : bytes.substr(1))
    value = (value << 8U) | static_cast<unsigned char>(byte);
  return static_cast<std::int64_t>(value);
}

/// The counts of one TZif header (RFC 8536 section 3.1), in their order there.
struct zone_header {
  static constexpr std::size_t bytes = 44;

  std::size_t isut = 0;
  std::size_t isstd = 0;
  std::size_t leap = 0;
  std::size_t times = 0;
  std::size_t types = 0;
  std::size_t chars = 0;

  [[nodiscard]] std::size_t body(std::size_t time_bytes) const {
    return times * (time_bytes + 1) + types * 6 + chars + leap * (time_bytes + 4) + isstd + isut;
  }
};

std::optional<zone_header> read_header(std::string_view bytes) {
  if (bytes.size() < zone_header::bytes || !bytes.starts_with("TZif") || bytes[4] < '2')
    return std::nullopt;
  std::array<std::size_t, 6> counts{};
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const auto count = integer(bytes.substr(20 + i * 4, 4));
    if (count < 0 || count > static_cast<std::int64_t>(zone_bytes_max))
      return std::nullopt;
    counts[i] = static_cast<std::size_t>(count);
  }
  return zone_header{counts[0], counts[1], counts[2], counts[3], counts[4], counts[5]};
}

} // namespace

std::optional<time_zone> time_zone::load(const std::string& name) {
  if (!is_zone_name(name))
    return std::nullopt;
  std::ifstream file{std::string{zone_folder} + name, std::ios::binary};
  if (!file)
    return std::nullopt;
  std::string bytes(zone_bytes_max, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return parse(bytes);
}

std::optional<time_zone> time_zone::parse(std::string_view bytes) {
  // The first block holds 32-bit times, for old readers; the second one says the same and more.
  const auto old = read_header(bytes);
  if (!old)
    return std::nullopt;
  const auto skip = zone_header::bytes + old->body(4);
  if (skip > bytes.size())
    return std::nullopt;
  bytes.remove_prefix(skip);
  const auto header = read_header(bytes);
  if (!header || header->types == 0 || zone_header::bytes + header->body(8) > bytes.size())
    return std::nullopt;
  const auto times = bytes.substr(zone_header::bytes);
  const auto indices = times.substr(header->times * 8);
  const auto types = indices.substr(header->times);

  time_zone zone;
  zone.first_offset_ = integer(types.substr(0, 4));
  for (std::size_t i = 0; i < header->times; ++i) {
    const auto type = static_cast<unsigned char>(indices[i]);
    if (type >= header->types)
      return std::nullopt;
    zone.transitions_.push_back(
      {integer(times.substr(i * 8, 8)), integer(types.substr(type * std::size_t{6}, 4))});
  }
  auto footer = bytes.substr(zone_header::bytes + header->body(8));
  if (footer.starts_with('\n'))
    zone.afterwards_ = parse_zone_rule(footer.substr(1, footer.find('\n', 1) - 1));
  return zone;
}

std::int64_t time_zone::offset_at(std::int64_t utc_seconds) const {
  const auto later =
    std::upper_bound(transitions_.begin(), transitions_.end(), utc_seconds,
                     [](std::int64_t at, const transition& t) { return at < t.at; });
  if (later == transitions_.end() && afterwards_)
    return afterwards_->offset_at(utc_seconds);
  return later == transitions_.begin() ? first_offset_ : std::prev(later)->offset;
}

} // namespace sidevoice
