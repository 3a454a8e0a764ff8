#pragma once

#include "config/result.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

/// ONNX Runtime, loaded while the program runs: a node without the library works without what needs
/// it, and no version of the library is linked.
namespace sidevoice {

/// A tensor over the caller's memory. The shape's product is the number of values; an empty shape
/// is a single one.
struct onnx_value {
  std::string name;
  std::vector<std::int64_t> shape;
  std::variant<std::span<float>, std::span<std::int64_t>> values;
};

/// A loaded network. May outlive the runtime it came from.
class onnx_session {
public:
  virtual ~onnx_session() = default;

  /// Fills the outputs from the inputs, on the caller's thread. Any number of threads at once, each
  /// with values of its own. Error `invalid`: names, types or shapes are not the network's, or
  /// values do not fit their shape.
  virtual result<void> run(std::span<const onnx_value> inputs,
                           std::span<const onnx_value> outputs) = 0;
};

/// Any thread.
class onnx_runtime {
public:
  virtual ~onnx_runtime() = default;

  /// Loads a network that computes with one thread. Errors: `not_found`, reason "no_model";
  /// `damaged`, reason "damaged_model".
  [[nodiscard]] virtual result<std::unique_ptr<onnx_session>>
  open(const std::string& model) const = 0;

  /// Such as "1.32.0".
  [[nodiscard]] virtual std::string version() const = 0;
};

/// `library`: path of libonnxruntime.so, 1.17 or newer. Stays loaded until the process ends.
/// Errors, whose detail says what to do: `not_found`, reason "no_library"; `damaged`, reason
/// "damaged_library".
result<std::shared_ptr<onnx_runtime>> open_onnx_runtime(const std::string& library);

} // namespace sidevoice
