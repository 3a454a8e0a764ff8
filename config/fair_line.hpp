#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace sidevoice {

/// Work that waits for somebody all apps share: each app's in its order, the apps by turns. So an
/// app that floods it makes another wait for one piece of work more, not for its whole line.
/// Bounded for each app. Not synchronised.
template <class T>
class fair_line {
public:
  /// `each_max`: what may wait for one app.
  explicit fair_line(std::size_t each_max) : each_max_(each_max) {}

  /// False: the app's line is full, and `what` is as it was.
  [[nodiscard]] bool push(const std::string& app, T&& what) {
    if (waiting(app) >= each_max_)
      return false;
    auto& line = lines_[app];
    if (line.empty())
      turns_.push_back(app);
    line.push_back(std::move(what));
    ++size_;
    return true;
  }

  /// The next one; nothing: none waits.
  std::optional<T> pop() {
    if (turns_.empty())
      return std::nullopt;
    auto app = std::move(turns_.front());
    turns_.pop_front();
    const auto line = lines_.find(app);
    std::optional<T> next{std::move(line->second.front())};
    line->second.pop_front();
    --size_;
    if (line->second.empty())
      lines_.erase(line);
    else
      turns_.push_back(std::move(app));
    return next;
  }

  /// Takes out of the app's line what `is_gone` says.
  template <class Gone>
  void drop(const std::string& app, const Gone& is_gone) {
    const auto line = lines_.find(app);
    if (line == lines_.end())
      return;
    size_ -= std::erase_if(line->second, is_gone);
    if (!line->second.empty())
      return;
    lines_.erase(line);
    std::erase(turns_, app);
  }

  /// Whether `is_it` holds for one that waits for this app.
  template <class Is>
  [[nodiscard]] bool any_of(const std::string& app, const Is& is_it) const {
    const auto line = lines_.find(app);
    return line != lines_.end() && std::any_of(line->second.begin(), line->second.end(), is_it);
  }

  [[nodiscard]] std::size_t waiting(const std::string& app) const {
    const auto line = lines_.find(app);
    return line == lines_.end() ? 0 : line->second.size();
  }

  [[nodiscard]] std::size_t size() const {
    return size_;
  }

  [[nodiscard]] bool empty() const {
    return size_ == 0;
  }

private:
  std::size_t each_max_;
  std::size_t size_ = 0;
  /// None of them is empty.
  std::map<std::string, std::deque<T>> lines_;
  /// Apps whose line is not empty, the next one first.
  std::deque<std::string> turns_;
};

} // namespace sidevoice
