#include "providers/speech/onnx_weights.hpp"

#include <bit>
#include <cstring>
#include <optional>

namespace sidevoice {

namespace {

// Numbers of onnx.proto: message.field.
constexpr std::uint64_t model_graph = 7;
constexpr std::uint64_t graph_initializer = 5;
constexpr std::uint64_t tensor_dims = 1;
constexpr std::uint64_t tensor_type = 2;
constexpr std::uint64_t tensor_name = 8;
constexpr std::uint64_t tensor_raw = 9;
constexpr std::uint64_t type_float = 1;

constexpr std::size_t tensors_max = 4096;
constexpr std::size_t rank_max = 8;

/// One field of a protobuf message: a number, or a piece of the message.
struct field {
  std::uint64_t number = 0;
  bool is_bytes = false;
  std::uint64_t value = 0;
  std::string_view bytes;
};

/// The fields of one message, in their order. After the last one, or at the first that is not one,
/// `next` is empty; `is_broken` tells the two apart.
class field_reader {
public:
  explicit field_reader(std::string_view message) : rest_(message) {}

  std::optional<field> next() {
    if (rest_.empty() || is_broken_)
      return std::nullopt;
    field out;
    const auto key = number();
    out.number = key >> 3;
    switch (key & 7) {
      case 0:
        out.value = number();
        break;
      case 1:
        take(8);
        break;
      case 2:
        out.is_bytes = true;
        out.bytes = take(number());
        break;
      case 5:
        take(4);
        break;
      default:
        is_broken_ = true;
    }
    if (is_broken_)
      return std::nullopt;
    return out;
  }

  /// A bare number, as packed lists hold them.
  std::uint64_t number() {
    std::uint64_t out = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (rest_.empty())
        break;
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      out |= std::uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80)
        return out;
    }
    is_broken_ = true;
    return 0;
  }

  [[nodiscard]] bool is_at_end() const {
    return rest_.empty();
  }

  [[nodiscard]] bool is_broken() const {
    return is_broken_;
  }

private:
  std::string_view take(std::uint64_t size) {
    if (is_broken_ || size > rest_.size()) {
      is_broken_ = true;
      return {};
    }
    const auto out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return out;
  }

  std::string_view rest_;
  bool is_broken_ = false;
};

error damaged(std::string detail) {
  return {errc::damaged, std::move(detail), {}, "damaged_model"};
}

error broken() {
  return damaged("the ONNX file is cut off or not an ONNX file");
}

struct raw_tensor {
  std::string_view name;
  std::uint64_t type = 0;
  std::vector<std::uint64_t> shape;
  std::optional<std::string_view> raw;
};

/// Shapes come as fields of their own, or packed into one.
bool add_shape(const field& f, std::vector<std::uint64_t>& shape) {
  if (!f.is_bytes) {
    shape.push_back(f.value);
    return shape.size() <= rank_max;
  }
  field_reader packed{f.bytes};
  while (!packed.is_at_end() && !packed.is_broken() && shape.size() <= rank_max)
    shape.push_back(packed.number());
  return !packed.is_broken() && shape.size() <= rank_max;
}

result<raw_tensor> read_tensor(std::string_view message) {
  raw_tensor out;
  field_reader fields{message};
  while (const auto f = fields.next()) {
    if (f->number == tensor_dims) {
      if (!add_shape(*f, out.shape))
        return damaged("a constant of the ONNX file has no readable shape");
    } else if (f->number == tensor_type && !f->is_bytes) {
      out.type = f->value;
    } else if (f->number == tensor_name && f->is_bytes) {
      out.name = f->bytes;
    } else if (f->number == tensor_raw && f->is_bytes) {
      out.raw = f->bytes;
    }
  }
  if (fields.is_broken())
    return broken();
  return out;
}

/// The bytes must be as many as the shape says; the product cannot overflow, since it stays below
/// the bytes that are there.
bool fits(const std::vector<std::uint64_t>& shape, std::size_t bytes) {
  const std::uint64_t count = bytes / sizeof(float);
  if (bytes % sizeof(float) != 0)
    return false;
  std::uint64_t product = 1;
  for (const auto size : shape) {
    if (size == 0)
      return count == 0;
    if (product > count / size)
      return false;
    product *= size;
  }
  return product == count;
}

std::vector<float> floats(std::string_view raw) {
  std::vector<float> out(raw.size() / sizeof(float));
  if constexpr (std::endian::native == std::endian::little) {
    if (!raw.empty())
      std::memcpy(out.data(), raw.data(), raw.size());
    return out;
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::uint32_t bits = 0;
    for (unsigned byte = 0; byte < 4; ++byte)
      bits |= std::uint32_t{static_cast<unsigned char>(raw[4 * i + byte])} << (8 * byte);
    out[i] = std::bit_cast<float>(bits);
  }
  return out;
}

result<onnx_tensors> read_graph(std::string_view graph) {
  onnx_tensors out;
  field_reader fields{graph};
  while (const auto f = fields.next()) {
    if (f->number != graph_initializer || !f->is_bytes)
      continue;
    const auto tensor = read_tensor(f->bytes);
    if (!tensor)
      return tensor.error();
    if (tensor->type != type_float || !tensor->raw)
      continue;
    if (!fits(tensor->shape, tensor->raw->size()))
      return damaged("a constant of the ONNX file is longer or shorter than its shape");
    if (out.size() == tensors_max || out.contains(tensor->name))
      return damaged("the ONNX file has too many constants, or one of them twice");
    out.emplace(tensor->name, onnx_tensor{tensor->shape, floats(*tensor->raw)});
  }
  if (fields.is_broken())
    return broken();
  return out;
}

} // namespace

result<onnx_tensors> read_onnx_weights(std::string_view model) {
  std::optional<std::string_view> graph;
  field_reader fields{model};
  while (const auto f = fields.next())
    if (f->number == model_graph && f->is_bytes)
      graph = f->bytes;
  if (fields.is_broken() || !graph)
    return broken();
  return read_graph(*graph);
}

} // namespace sidevoice
