#pragma once

#include "config/result.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// Reads the constants out of a published ONNX file, so that a small network needs no runtime. The
/// file comes from outside: every length in it is checked before it is believed.
namespace sidevoice {

/// One constant: its shape, and the values in the file's order (the last index runs fastest).
struct onnx_tensor {
  std::vector<std::uint64_t> shape;
  std::vector<float> values;
};

using onnx_tensors = std::map<std::string, onnx_tensor, std::less<>>;

/// The named float32 constants of the outermost graph; constants of other types, or that lie in
/// another file, are left out. Takes no more memory than the file has bytes. Error: `damaged`.
result<onnx_tensors> read_onnx_weights(std::string_view model);

} // namespace sidevoice
