#include "providers/speech/onnx_weights.hpp"
#include "providers/speech/silero_network.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

void must(bool is_so, const char* what) {
  if (is_so)
    return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

} // namespace

/// A model's file, whatever it holds: constants that fit their shapes and the file, or an error.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view file{reinterpret_cast<const char*>(bytes), size};
  const auto read = sidevoice::read_onnx_weights(file);
  must(read.has_value() || !read.error().detail.empty(), "a fault without a word");
  std::size_t total = 0;
  if (read)
    for (const auto& [name, tensor] : *read) {
      std::uint64_t product = 1;
      for (const auto length : tensor.shape)
        product *= length;
      must(product == tensor.values.size(), "a shape that does not fit its values");
      total += tensor.values.size() * sizeof(float);
    }
  must(total <= size, "more weights than bytes");
  const auto network = sidevoice::silero_network::read(file, sidevoice::silero_code::portable);
  must(!network.has_value(), "a network of a few bytes");
  return 0;
}
