#include "providers/speech/silero.hpp"
#include "providers/speech/silero_network.hpp"
#include "tests/providers/silero_reference.hpp"
#include "tests/providers/temporary_file.hpp"
#include "tests/providers/vad_conformance.hpp"

namespace sidevoice {

namespace {

using vad_conformance::probabilities;

constexpr const char* file_name = "silero_vad_16k_op15.onnx";

probabilities listen(const silero_network& network, const samples& sound) {
  probabilities out;
  silero_memory memory;
  for (std::size_t at = 0; at + vad_frame <= sound.size(); at += vad_frame)
    out.push_back(
      network.run(memory, std::span<const std::int16_t, vad_frame>{&sound[at], vad_frame}));
  return out;
}

struct difference {
  float greatest = 0;
  std::size_t decided_otherwise = 0;
};

difference compare(const probabilities& one, const probabilities& other) {
  REQUIRE(one.size() == other.size());
  difference out;
  for (std::size_t i = 0; i < one.size(); ++i) {
    out.greatest = std::max(out.greatest, std::abs(one[i] - other[i]));
    out.decided_otherwise += (one[i] > 0.5F) != (other[i] > 0.5F) ? 1 : 0;
  }
  return out;
}

/// Loads these bytes as a file, and expects a fault that names the remedy.
void refuses(const temporary_file& file, const std::string& bytes) {
  file.write(bytes);
  const auto got = load_silero(file.path());
  REQUIRE_FALSE(got.has_value());
  CHECK(got.error().code == errc::damaged);
  CHECK(got.error().reason == "damaged_model");
  CHECK(got.error().detail.find(file.path()) != std::string::npos);
  CHECK(got.error().detail.find("scripts/models.sh") != std::string::npos);
}

} // namespace

TEST_CASE("Silero does what every voice activity engine does") {
  const auto path = speech_models::find(file_name);
  if (!path)
    return;
  const auto engine = load_silero(*path);
  REQUIRE_MESSAGE(engine.has_value(), engine.error().detail);
  CHECK((*engine)->name() == "silero");
  vad_conformance::run_all(**engine);
}

TEST_CASE("Silero is not fooled by what is loud and no voice") {
  const auto path = speech_models::find(file_name);
  if (!path)
    return;
  const auto engine = load_silero(*path);
  REQUIRE(engine.has_value());
  const auto stream = (*engine)->open();
  CHECK(vad_conformance::above(
          vad_conformance::listen(*stream, speech_models::noise(speech_rate, 20'000)), 0.5F)
        == 0);
}

TEST_CASE("Silero's streams work on when their engine has gone") {
  const auto path = speech_models::find(file_name);
  if (!path)
    return;
  auto engine = load_silero(*path);
  REQUIRE(engine.has_value());
  const auto sound = speech_models::berlin();
  const auto expected = vad_conformance::listen(*(*engine)->open(), sound);
  const auto stream = (*engine)->open();
  engine->reset();
  CHECK(vad_conformance::listen(*stream, sound) == expected);
}

TEST_CASE("our own pass says what ONNX Runtime says of the same network, frame by frame") {
  const auto path = speech_models::find(file_name);
  const auto library = speech_models::find("libonnxruntime.so");
  if (!path || !library)
    return;
  const auto runtime = open_onnx_runtime(*library);
  REQUIRE_MESSAGE(runtime.has_value(), runtime.error().detail);
  const auto session = (*runtime)->open(*path);
  REQUIRE_MESSAGE(session.has_value(), session.error().detail);
  const auto sound = speech_models::half_a_minute();
  silero_reference reference{**session};
  const auto expected = vad_conformance::listen(reference, sound);
  const auto bytes = speech_models::bytes_of(*path);
  for (const auto code : {silero_code::best, silero_code::portable}) {
    const auto network = silero_network::read(bytes, code);
    REQUIRE_MESSAGE(network.has_value(), network.error().detail);
    const auto got = compare(listen(*network, sound), expected);
    MESSAGE(std::string{network->code()}
            << ": " << expected.size() << " frames, " << vad_conformance::above(expected, 0.5F)
            << " of speech; greatest difference from ONNX Runtime " << (*runtime)->version() << ": "
            << got.greatest);
    CHECK(got.greatest <= 1e-3F);
    CHECK(got.decided_otherwise == 0);
  }
  // Both kinds of frames were there.
  CHECK(vad_conformance::above(expected, 0.5F) > 100);
  CHECK(vad_conformance::above(expected, 0.5F) < expected.size() - 100);
}

TEST_CASE("a missing file of Silero's is named with its remedy") {
  const auto got = load_silero("no/such/folder/silero.onnx");
  REQUIRE_FALSE(got.has_value());
  CHECK(got.error().code == errc::not_found);
  CHECK(got.error().reason == "no_model");
  CHECK(got.error().detail.find("no/such/folder/silero.onnx") != std::string::npos);
  CHECK(got.error().detail.find("scripts/models.sh") != std::string::npos);
  const auto folder = load_silero(SIDEVOICE_SOURCE_DIR);
  REQUIRE_FALSE(folder.has_value());
  CHECK(folder.error().code == errc::damaged);
}

TEST_CASE("what is not Silero's file is refused") {
  const temporary_file file;
  refuses(file, "");
  refuses(file, "version https://example.org/pointer\noid 12\nsize 1289603\n");
  refuses(file, std::string(100'000, '\0'));
  refuses(file, std::string(100'000, '\xff'));
  if (const auto other = speech_models::find("smart-turn-v3.2-cpu.onnx")) {
    refuses(file, speech_models::bytes_of(*other));
    const auto read = silero_network::read(speech_models::bytes_of(*other));
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().detail.find("stft.forward_basis_buffer is missing") != std::string::npos);
  }
}

TEST_CASE("Silero's file, cut off anywhere, is refused") {
  const auto path = speech_models::find(file_name);
  if (!path)
    return;
  const auto whole = speech_models::bytes_of(*path);
  const temporary_file file;
  for (const auto size : {std::size_t{1}, std::size_t{7}, whole.size() / 2, whole.size() - 1})
    refuses(file, whole.substr(0, size));
  // Densely where the structure is, with a stride through the weights.
  for (std::size_t size = 0; size < whole.size(); size += size < 400 ? 1 : 9973)
    REQUIRE_FALSE(silero_network::read(std::string_view{whole}.substr(0, size)).has_value());
}

TEST_CASE("Silero's file with any byte changed is refused, and never brings the reader down") {
  const auto path = speech_models::find(file_name);
  if (!path)
    return;
  const auto whole = speech_models::bytes_of(*path);
  auto bytes = whole;
  const temporary_file file;
  for (std::size_t at = 0; at < whole.size(); at += whole.size() / 7) {
    bytes[at] = static_cast<char>(~whole[at]);
    refuses(file, bytes);
    bytes[at] = whole[at];
  }
  // A changed weight reads well (its file does not): the pass still says a probability.
  const auto frames = samples(4 * vad_frame, 1000);
  std::size_t read_well = 0;
  for (std::size_t at = 0; at < whole.size(); at += 20'011) {
    bytes[at] = static_cast<char>(whole[at] ^ 0x11);
    if (const auto network = silero_network::read(bytes, silero_code::portable)) {
      ++read_well;
      for (const auto p : listen(*network, frames))
        CHECK_FALSE(std::isinf(p));
    }
    bytes[at] = whole[at];
  }
  CHECK(read_well > 0);
}

} // namespace sidevoice
