#include "gateway/resampler.hpp"

#include <speex/speex_resampler.h>

#include <algorithm>
#include <cstddef>
#include <new>
#include <stdexcept>

namespace sidevoice {

namespace {

constexpr int quality = 3;

/// The library counts in 32 bits; a piece of this size also keeps its output in the cache.
constexpr std::size_t piece_size = 4096;

struct free_filter {
  void operator()(SpeexResamplerState* filter) const {
    speex_resampler_destroy(filter);
  }
};

} // namespace

struct resampler::state {
  std::uint32_t from;
  std::uint32_t to;
  /// Null where the rates are equal.
  std::unique_ptr<SpeexResamplerState, free_filter> filter;
};

resampler::resampler(std::uint32_t from, std::uint32_t to)
    : state_{std::make_unique<state>(state{from, to, nullptr})} {
  if (from == 0 || to == 0)
    throw std::invalid_argument("a rate is at least 1 Hz");
  if (from == to)
    return;
  int fault = RESAMPLER_ERR_SUCCESS;
  state_->filter.reset(speex_resampler_init(1, from, to, quality, &fault));
  if (state_->filter == nullptr)
    throw std::bad_alloc{};
}

resampler::~resampler() = default;
resampler::resampler(resampler&&) noexcept = default;
resampler& resampler::operator=(resampler&&) noexcept = default;

void resampler::push(samples_view in, samples& out) {
  if (state_->filter == nullptr) {
    out.insert(out.end(), in.begin(), in.end());
    return;
  }
  while (!in.empty()) {
    const auto piece = std::min(in.size(), piece_size);
    const auto before = out.size();
    // Room for all of it, rounded up, so that the library never stops for want of room.
    const auto room = std::uint64_t{piece} * state_->to / state_->from + 2;
    out.resize(before + room);
    auto taken = static_cast<spx_uint32_t>(piece);
    auto made = static_cast<spx_uint32_t>(room);
    speex_resampler_process_int(state_->filter.get(), 0, in.data(), &taken, out.data() + before,
                                &made);
    out.resize(before + made);
    in = in.subspan(taken);
  }
}

void resampler::reset() {
  if (state_->filter != nullptr)
    speex_resampler_reset_mem(state_->filter.get());
}

} // namespace sidevoice
