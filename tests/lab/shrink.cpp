#include "tests/lab/shrink.hpp"

#include <algorithm>

namespace sidevoice::lab {

namespace {

class shrinker {
public:
  shrinker(scenario failing, const std::function<bool(const scenario&)>& fails, std::size_t runs)
      : best_{std::move(failing)},
        fails_{fails},
        left_{runs} {}

  scenario run() {
    // What one of them takes away may make room for another.
    for (auto before = best_; left_ > 0; before = best_) {
      drop_troubles();
      drop_steps();
      drop_faults();
      if (best_ == before)
        break;
    }
    return best_;
  }

private:
  bool keep_if_failing(scenario smaller) {
    if (left_ == 0 || smaller == best_)
      return false;
    --left_;
    if (!fails_(smaller))
      return false;
    best_ = std::move(smaller);
    return true;
  }

  void drop_troubles() {
    for (const auto& name : trouble_names()) {
      auto smaller = best_;
      if (smaller.without.insert(name).second)
        keep_if_failing(std::move(smaller));
    }
  }

  void drop_steps() {
    for (auto cut = best_.steps / 2; cut > 0;) {
      auto smaller = best_;
      smaller.steps -= cut;
      std::erase_if(smaller.faults,
                    [&](const planned_fault& f) { return f.at_step >= smaller.steps; });
      if (!keep_if_failing(std::move(smaller)))
        cut /= 2;
      cut = std::min(cut, best_.steps / 2);
    }
  }

  /// Halves first, then smaller and smaller pieces, then each alone.
  void drop_faults() {
    for (auto size = std::max<std::size_t>(1, best_.faults.size() / 2); !best_.faults.empty();
         size = size / 2) {
      for (std::size_t from = 0; from < best_.faults.size();) {
        auto smaller = best_;
        const auto begin = smaller.faults.begin() + static_cast<std::ptrdiff_t>(from);
        const auto count = std::min(size, smaller.faults.size() - from);
        smaller.faults.erase(begin, begin + static_cast<std::ptrdiff_t>(count));
        if (!keep_if_failing(std::move(smaller)))
          from += size;
      }
      if (size <= 1)
        break;
    }
  }

  scenario best_;
  const std::function<bool(const scenario&)>& fails_;
  std::size_t left_;
};

} // namespace

scenario shrink(scenario failing, const std::function<bool(const scenario&)>& fails,
                std::size_t runs_max) {
  return shrinker{std::move(failing), fails, runs_max}.run();
}

} // namespace sidevoice::lab
