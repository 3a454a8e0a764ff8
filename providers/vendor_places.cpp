#include "providers/vendor_places.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace sidevoice {

vendor_places::ticket::ticket(std::shared_ptr<vendor_places> all, account who, std::uint64_t number)
    : all_(std::move(all)),
      who_(std::move(who)),
      number_(number) {}

vendor_places::ticket::~ticket() {
  all_->leave(who_, number_);
}

bool vendor_places::occupy(desk& at, std::uint32_t most, urgency how) {
  at.most = std::max<std::uint32_t>(most, 1);
  // Behind those who wait already, though a raised bound may have room for all of them.
  if (at.taken >= at.most || !at.answers.empty()
      || (how == urgency::analysis && !at.analyses.empty()))
    return false;
  ++at.taken;
  return true;
}

std::unique_ptr<vendor_places::ticket> vendor_places::try_take(const account& who,
                                                               std::uint32_t most, urgency how) {
  const std::lock_guard guard{mutex_};
  // A desk that is there has somebody in it, and a new one has a place.
  if (!occupy(desks_[who], most, how))
    return nullptr;
  return std::make_unique<ticket>(shared_from_this(), who, ++next_);
}

std::unique_ptr<vendor_places::ticket> vendor_places::wait(const account& who, std::uint32_t most,
                                                           urgency how,
                                                           std::function<void()> called) {
  std::unique_ptr<ticket> mine;
  {
    const std::lock_guard guard{mutex_};
    auto& desk = desks_[who];
    mine = std::make_unique<ticket>(shared_from_this(), who, ++next_);
    if (!occupy(desk, most, how)) {
      auto& line = how == urgency::answer ? desk.answers : desk.analyses;
      line.push_back({next_, std::move(called)});
      return mine;
    }
  }
  called();
  return mine;
}

void vendor_places::leave(const account& who, std::uint64_t number) {
  std::vector<std::function<void()>> called;
  {
    const std::lock_guard guard{mutex_};
    const auto found = desks_.find(who);
    auto& desk = found->second;
    const auto is_it = [number](const waiter& one) { return one.number == number; };
    if (std::erase_if(desk.answers, is_it) == 0 && std::erase_if(desk.analyses, is_it) == 0)
      --desk.taken;
    for (auto* line : {&desk.answers, &desk.analyses})
      while (desk.taken < desk.most && !line->empty()) {
        ++desk.taken;
        called.push_back(std::move(line->front().called));
        line->pop_front();
      }
    if (desk.taken == 0)
      desks_.erase(found);
  }
  for (const auto& call : called)
    call();
}

std::size_t vendor_places::taken(const account& who) const {
  const std::lock_guard guard{mutex_};
  const auto found = desks_.find(who);
  return found == desks_.end() ? 0 : found->second.taken;
}

std::size_t vendor_places::waiting(const account& who) const {
  const std::lock_guard guard{mutex_};
  const auto found = desks_.find(who);
  return found == desks_.end() ? 0 : found->second.answers.size() + found->second.analyses.size();
}

} // namespace sidevoice
