#include "providers/speech/silero_network.hpp"

#include "providers/speech/onnx_weights.hpp"
#include "providers/speech/silero_pass.hpp"

#include <cmath>
#include <initializer_list>
#include <utility>

namespace sidevoice {

namespace {

constexpr std::size_t window = 256;

error damaged(std::string detail) {
  return {errc::damaged, std::move(detail), {}, "damaged_model"};
}

/// The network's constants by name. A missing one, one of another shape, or one that is no number
/// gives an empty list, and is named by `fault`.
class named_weights {
public:
  explicit named_weights(const onnx_tensors& all) : all_(all) {}

  const std::vector<float>& of(const std::string& name,
                               std::initializer_list<std::uint64_t> shape) {
    static const std::vector<float> none;
    if (!fault.empty())
      return none;
    const auto it = all_.find("model." + name);
    if (it == all_.end()) {
      fault = name + " is missing";
      return none;
    }
    if (it->second.shape != std::vector<std::uint64_t>{shape}) {
      fault = name + " has another shape";
      return none;
    }
    for (const auto value : it->second.values)
      if (!std::isfinite(value)) {
        fault = name + " holds a value that is no number";
        return none;
      }
    return it->second.values;
  }

  std::string fault;

private:
  const onnx_tensors& all_;
};

/// Folds the Fourier basis: a weight stands for sample n and for 256 - n, with the sign `mirror`.
/// False where the basis is not of that kind.
bool fold_basis(const float* rows, float mirror, packed_matrix& to) {
  constexpr float tolerance = 1e-4F;
  for (std::size_t bin = 0; bin < silero_bins; ++bin) {
    const auto* row = rows + bin * window;
    for (const auto alone : {std::size_t{0}, window / 2}) {
      if (mirror < 0 && std::abs(row[alone]) > tolerance)
        return false;
      to.weight(bin, alone) = row[alone];
    }
    for (std::size_t n = 1; n < window / 2; ++n) {
      const auto other = mirror * row[window - n];
      if (std::abs(row[n] - other) > tolerance)
        return false;
      to.weight(bin, n) = (row[n] + other) / 2;
    }
  }
  return true;
}

/// A convolution's weights [outputs, inputs, 3], of which `taps` from `first` on see more than
/// padding.
void pack_convolution(named_weights& from, int layer, std::uint64_t outputs, std::uint64_t inputs,
                      std::size_t first, std::size_t taps, packed_matrix& to) {
  const auto name = "encoder." + std::to_string(layer) + ".reparam_conv.";
  const auto& weight = from.of(name + "weight", {outputs, inputs, 3});
  const auto& bias = from.of(name + "bias", {outputs});
  if (!from.fault.empty())
    return;
  for (std::size_t out = 0; out < outputs; ++out) {
    to.bias(out) = bias[out];
    for (std::size_t tap = 0; tap < taps; ++tap)
      for (std::size_t in = 0; in < inputs; ++in)
        to.weight(out, tap * inputs + in) = weight[(out * inputs + in) * 3 + first + tap];
  }
}

void pack_gates(named_weights& from, packed_matrix& to) {
  constexpr auto outputs = 4 * silero_units;
  const auto& input = from.of("decoder.rnn.weight_ih", {outputs, silero_units});
  const auto& hidden = from.of("decoder.rnn.weight_hh", {outputs, silero_units});
  const auto& input_bias = from.of("decoder.rnn.bias_ih", {outputs});
  const auto& hidden_bias = from.of("decoder.rnn.bias_hh", {outputs});
  if (!from.fault.empty())
    return;
  for (std::size_t out = 0; out < outputs; ++out) {
    to.bias(out) = input_bias[out] + hidden_bias[out];
    for (std::size_t in = 0; in < silero_units; ++in) {
      to.weight(out, in) = input[out * silero_units + in];
      to.weight(out, silero_units + in) = hidden[out * silero_units + in];
    }
  }
}

std::string pack(const onnx_tensors& tensors, silero_weights& to) {
  named_weights from{tensors};
  const auto& basis = from.of("stft.forward_basis_buffer", {2 * silero_bins, 1, window});
  if (!from.fault.empty())
    return from.fault;
  if (!fold_basis(basis.data(), 1, to.real)
      || !fold_basis(basis.data() + silero_bins * window, -1, to.imaginary))
    return "stft.forward_basis_buffer is no Fourier basis";
  pack_convolution(from, 0, 128, silero_bins, 0, 3, to.encode_0);
  pack_convolution(from, 1, 64, 128, 0, 3, to.encode_1);
  pack_convolution(from, 2, 64, 64, 1, 2, to.encode_2);
  pack_convolution(from, 3, 128, 64, 1, 1, to.encode_3);
  pack_gates(from, to.gates);
  const auto& decode = from.of("decoder.decoder.2.weight", {1, silero_units, 1});
  const auto& decode_bias = from.of("decoder.decoder.2.bias", {1});
  if (!from.fault.empty())
    return from.fault;
  for (std::size_t unit = 0; unit < silero_units; ++unit)
    to.decode[unit] = decode[unit];
  to.decode_bias = decode_bias[0];
  return {};
}

} // namespace

silero_network::silero_network(std::unique_ptr<const silero_weights> weights, silero_code code)
    : weights_(std::move(weights)),
      is_wide_(code == silero_code::best && has_wide_silero_pass()) {}

silero_network::silero_network(silero_network&&) noexcept = default;
silero_network& silero_network::operator=(silero_network&&) noexcept = default;
silero_network::~silero_network() = default;

result<silero_network> silero_network::read(std::string_view model, silero_code code) {
  const auto tensors = read_onnx_weights(model);
  if (!tensors)
    return tensors.error();
  auto weights = std::make_unique<silero_weights>();
  if (const auto fault = pack(*tensors, *weights); !fault.empty())
    return damaged("not Silero's 16 kHz network: " + fault);
  return silero_network{std::move(weights), code};
}

float silero_network::run(silero_memory& memory,
                          std::span<const std::int16_t, vad_frame> frame) const {
  return is_wide_ ? silero_pass_wide(*weights_, memory, frame)
                  : silero_pass_portable(*weights_, memory, frame);
}

const char* silero_network::code() const {
  return is_wide_ ? "avx2" : "portable";
}

} // namespace sidevoice
