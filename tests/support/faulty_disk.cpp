#include "tests/support/faulty_disk.hpp"

#include "persistence/append_rules.hpp"
#include "persistence/sqlite_writer.hpp"
#include "tests/support/faulty_vfs.hpp"

#include <stdexcept>

namespace sidevoice {

namespace {

int disks_made = 0;
int disks_alive = 0;

std::unique_ptr<disk_state> make_state(faulty_disk& disk) {
  auto state = std::make_unique<disk_state>(disk_state{.disk = disk});
  state->name = "sidevoice-lab-" + std::to_string(++disks_made);
  ++disks_alive;
  return state;
}

std::vector<store_completion> refuse(std::vector<store_job> jobs, const error& why) {
  std::vector<store_completion> answers;
  for (auto& job : jobs)
    std::visit([&](auto& task) { answers.push_back(completion(std::move(task), why)); }, job);
  return answers;
}

class lasting_writer final : public store_writer {
public:
  lasting_writer(faulty_disk& disk, sqlite_synchronous synchronous)
      : disk_(disk),
        synchronous_(synchronous) {
    open_again();
  }

  std::vector<store_completion> run(std::vector<store_job> jobs) override {
    if (auto opened = open_again(); !opened)
      return refuse(std::move(jobs), opened.error());
    return inner_->run(std::move(jobs));
  }

  [[nodiscard]] std::string incarnation() const override {
    return incarnation_;
  }

private:
  result<void> open_again() {
    if (inner_ && life_ == disk_.life())
      return {};
    inner_.reset();
    auto opened = disk_.open(synchronous_);
    if (!opened)
      return opened.error();
    inner_ = std::move(*opened);
    incarnation_ = inner_->incarnation();
    life_ = disk_.life();
    return {};
  }

  faulty_disk& disk_;
  const sqlite_synchronous synchronous_;
  std::unique_ptr<store_writer> inner_;
  std::string incarnation_;
  std::uint64_t life_ = 0;
};

} // namespace

bool disk_state::meets(disk_fault fault) {
  if (disk.calm)
    return false;
  auto& of = plans[static_cast<std::size_t>(fault)];
  ++of.calls;
  const bool planned = of.at > 0 && of.calls >= of.at && of.calls - of.at < of.times;
  if (!planned && (of.per_mille == 0 || of.roll(1000) >= of.per_mille))
    return false;
  ++tally.met[static_cast<std::size_t>(fault)];
  return true;
}

std::uint64_t disk_state::used() const {
  std::uint64_t sum = 0;
  for (const auto& [_, file] : names)
    sum += file->bytes().size();
  return sum;
}

void disk_state::set_name(const std::string& changed, file_ptr file) {
  auto& meaning = names[changed];
  name_changes.push_back({changed, meaning});
  meaning = std::move(file);
  if (!meaning)
    names.erase(changed);
}

void disk_state::begin_life() {
  if (!lives.empty())
    present().end();
  lives.push_back(
    std::make_unique<disk_life>(*this, name + "." + std::to_string(lives.size() + 1)));
}

disk_life& disk_state::present() {
  return *lives.back();
}

faulty_disk::faulty_disk(std::uint64_t seed) : state_(make_state(*this)) {
  state_->random = seed;
  seed_sqlite(&seed);
  state_->begin_life();
}

faulty_disk::faulty_disk(const faulty_disk& other) : state_(make_state(*this)) {
  std::map<const disk_file*, disk_state::file_ptr> copies;
  const auto copy = [&copies](const disk_state::file_ptr& file) {
    auto& made = copies[file.get()];
    if (file && !made)
      made = std::make_shared<disk_file>(*file);
    return made;
  };
  for (const auto& [name, file] : other.state_->names)
    state_->names[name] = copy(file);
  for (const auto& change : other.state_->name_changes)
    state_->name_changes.push_back({change.name, copy(change.before)});
  state_->random = other.state_->random;
  state_->time = other.state_->time;
  state_->begin_life();
}

faulty_disk::~faulty_disk() {
  if (--disks_alive == 0)
    seed_sqlite(nullptr);
}

std::string faulty_disk::vfs_name() const {
  return state_->present().name;
}

result<std::unique_ptr<store_writer>> faulty_disk::open(sqlite_synchronous synchronous) {
  if (!has_power())
    return error{.code = errc::unavailable, .detail = "the disk has no power"};
  auto writer = std::make_unique<sqlite_writer>(database, sqlite_access::owner, synchronous,
                                                std::nullopt, vfs_name());
  if (auto opened = writer->open(); !opened)
    return opened.error();
  return std::unique_ptr<store_writer>{std::move(writer)};
}

std::unique_ptr<store_writer> faulty_disk::make_writer(sqlite_synchronous synchronous) {
  return std::make_unique<lasting_writer>(*this, synchronous);
}

void faulty_disk::process_dies() {
  if (!has_power())
    throw std::logic_error("there is no power: power_loss comes first");
  ++state_->tally.process_deaths;
  state_->begin_life();
}

void faulty_disk::power_loss(const roll_dice& roll) {
  ++state_->tally.power_losses;
  state_->present().end();
  auto& changes = state_->name_changes;
  for (auto undone = roll(changes.size() + 1); undone > 0; --undone) {
    auto& last = changes.back();
    if (last.before)
      state_->names[last.name] = std::move(last.before);
    else
      state_->names.erase(last.name);
    changes.pop_back();
    ++state_->tally.names_lost;
  }
  changes.clear();
  for (auto& [_, file] : state_->names)
    file->lose(roll, state_->tally.sectors);
  state_->begin_life();
}

bool faulty_disk::has_power() const {
  return !state_->present().dead;
}

std::uint64_t faulty_disk::life() const {
  return state_->lives.size();
}

void faulty_disk::fail_at(disk_fault fault, std::uint64_t nth, std::uint64_t times) {
  auto& of = state_->plans[static_cast<std::size_t>(fault)];
  of.at = of.calls + nth;
  of.times = times;
}

void faulty_disk::fail_often(disk_fault fault, std::uint64_t per_mille, roll_dice roll) {
  auto& of = state_->plans[static_cast<std::size_t>(fault)];
  of.per_mille = per_mille;
  of.roll = std::move(roll);
}

void faulty_disk::heal() {
  for (auto& of : state_->plans)
    of = {.calls = of.calls};
  lies = false;
  room = ~std::uint64_t{0};
}

std::uint64_t faulty_disk::calls(disk_fault fault) const {
  return state_->plans[static_cast<std::size_t>(fault)].calls;
}

const disk_tally& faulty_disk::tally() const {
  return state_->tally;
}

std::map<std::string, std::string> faulty_disk::files() const {
  std::map<std::string, std::string> copies;
  for (const auto& [name, file] : state_->names)
    copies[name] = file->bytes();
  return copies;
}

void faulty_disk::replace_files(const std::map<std::string, std::string>& files) {
  state_->begin_life();
  state_->names.clear();
  state_->name_changes.clear();
  for (const auto& [name, bytes] : files) {
    auto file = std::make_shared<disk_file>();
    file->write(bytes, 0);
    file->sync();
    state_->names[name] = std::move(file);
  }
}

} // namespace sidevoice
