#include "tests/support/disk_file.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace sidevoice {

namespace {

/// A sector of the image; zeros behind its end.
std::string sector_of(const std::string& image, std::size_t number) {
  const auto at = number * disk_file::sector_size;
  auto sector = at < image.size() ? image.substr(at, disk_file::sector_size) : std::string{};
  sector.resize(disk_file::sector_size, '\0');
  return sector;
}

void put(std::string& image, std::size_t at, std::string_view bytes) {
  if (image.size() < at + bytes.size())
    image.resize(at + bytes.size(), '\0');
  image.replace(at, bytes.size(), bytes);
}

/// All of the versions alike, or each sector for itself.
enum class fate { kept, lost, mixed };

fate roll_fate(const roll_dice& roll) {
  const auto number = roll(6);
  return number == 0 ? fate::kept : number == 1 ? fate::lost : fate::mixed;
}

/// What is left of a sector. `versions`: newest first, the last one is durable.
std::string survivor(const std::vector<std::string>& versions, fate all, const roll_dice& roll,
                     power_tally& tally) {
  const auto durable = versions.size() - 1;
  const auto chosen = all == fate::kept ? 0 : all == fate::lost ? durable : roll(versions.size());
  if (chosen == durable) {
    ++tally.lost;
    return versions[durable];
  }
  if (all == fate::mixed && roll(4) == 0) {
    ++tally.torn;
    const auto cut = 1 + roll(disk_file::sector_size - 1);
    const auto begins_new = roll(2) == 0;
    const auto& first = versions[begins_new ? chosen : chosen + 1];
    const auto& second = versions[begins_new ? chosen + 1 : chosen];
    return first.substr(0, cut) + second.substr(cut);
  }
  ++(chosen == 0 ? tally.kept : tally.older);
  return versions[chosen];
}

} // namespace

void disk_file::write(std::string_view bytes, std::size_t at) {
  if (bytes.empty())
    return;
  note(at, bytes.size());
  if (at + bytes.size() > now_.size())
    sizes_.push_back(now_.size());
  put(now_, at, bytes);
}

void disk_file::resize(std::size_t size) {
  if (size == now_.size())
    return;
  if (size < now_.size())
    note(size, now_.size() - size);
  sizes_.push_back(now_.size());
  now_.resize(size, '\0');
}

void disk_file::note(std::size_t at, std::size_t size) {
  for (const auto end = at + size; at < end;) {
    const auto piece = std::min(end, (at / page_size + 1) * page_size) - at;
    changes_.push_back(
      {.at = at, .size = piece, .before = at < now_.size() ? now_.substr(at, piece) : ""});
    at += piece;
  }
}

void disk_file::undo(const change& last, std::string& image) {
  auto before = last.before;
  before.resize(last.size, '\0');
  put(image, last.at, before);
}

void disk_file::sync() {
  sizes_.clear();
  const auto is_forgotten = [](const change& one) { return one.forgotten; };
  if (std::none_of(changes_.begin(), changes_.end(), is_forgotten))
    return changes_.clear();
  std::set<std::size_t> written;
  for (const auto& one : changes_)
    if (!one.forgotten)
      written.insert(one.at / page_size);
  std::erase_if(changes_, [&](const change& one) { return written.contains(one.at / page_size); });
}

void disk_file::forget() {
  for (auto& one : changes_)
    one.forgotten = true;
}

void disk_file::lose(const roll_dice& roll, power_tally& tally) {
  auto image = now_;
  std::map<std::size_t, std::vector<std::string>> versions;
  for (auto last = changes_.rbegin(); last != changes_.rend(); ++last) {
    const auto end = (last->at + last->size - 1) / sector_size;
    for (auto sector = last->at / sector_size; sector <= end; ++sector)
      versions[sector].push_back(sector_of(image, sector));
    undo(*last, image);
  }
  const auto all = roll_fate(roll);
  const auto durable = image;
  for (auto& [sector, of] : versions) {
    of.push_back(sector_of(durable, sector));
    put(image, sector * sector_size, survivor(of, all, roll, tally));
  }
  auto size = now_.size();
  if (all != fate::kept && !sizes_.empty()) {
    const auto chosen = all == fate::lost ? 0 : roll(sizes_.size() + 1);
    size = chosen < sizes_.size() ? sizes_[chosen] : size;
  }
  image.resize(size, '\0');
  now_ = std::move(image);
  changes_.clear();
  sizes_.clear();
}

} // namespace sidevoice
