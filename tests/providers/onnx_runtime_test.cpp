#include "providers/speech/onnx_runtime.hpp"

#include "tests/providers/speech_models.hpp"
#include "tests/providers/temporary_file.hpp"

#include <array>
#include <thread>

namespace sidevoice {

namespace {

constexpr const char* library_name = "libonnxruntime.so";
constexpr const char* model_name = "silero_vad_16k_op15.onnx";

struct call {
  std::array<float, 576> sound{};
  std::array<float, 256> state{};
  std::array<std::int64_t, 1> rate{16'000};
  std::array<float, 1> probability{-1};
  std::array<float, 256> next{};

  result<void> run(onnx_session& session, const std::string& input = "input",
                   std::int64_t length = 576) {
    const std::array inputs{
      onnx_value{input, {1, length}, std::span<float>{sound}},
      onnx_value{"state", {2, 1, 128}, std::span<float>{state}},
      onnx_value{"sr", {}, std::span<std::int64_t>{rate}},
    };
    const std::array outputs{
      onnx_value{"output", {1, 1}, std::span<float>{probability}},
      onnx_value{"stateN", {2, 1, 128}, std::span<float>{next}},
    };
    return session.run(inputs, outputs);
  }
};

} // namespace

TEST_CASE("a library that is missing or none is named with its remedy") {
  const auto missing = open_onnx_runtime("no/such/libonnxruntime.so");
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().code == errc::not_found);
  CHECK(missing.error().reason == "no_library");
  const temporary_file file;
  for (const auto* const bytes : {"", "a text file\n",
                                  "\x7f"
                                  "ELF\x02\x01\x01"}) {
    file.write(bytes);
    const auto damaged = open_onnx_runtime(file.path());
    REQUIRE_FALSE(damaged.has_value());
    CHECK(damaged.error().code == errc::damaged);
    CHECK(damaged.error().reason == "damaged_library");
    CHECK(damaged.error().detail.find("scripts/models.sh") != std::string::npos);
  }
}

TEST_CASE("another library is not taken for ONNX Runtime") {
  const auto other = open_onnx_runtime("/proc/self/exe");
  REQUIRE_FALSE(other.has_value());
  CHECK(other.error().code == errc::damaged);
}

TEST_CASE("a network runs on any number of threads, also when its runtime has gone") {
  const auto library = speech_models::find(library_name);
  const auto model = speech_models::find(model_name);
  if (!library || !model)
    return;
  auto runtime = open_onnx_runtime(*library);
  REQUIRE_MESSAGE(runtime.has_value(), runtime.error().detail);
  CHECK((*runtime)->version().find('.') != std::string::npos);
  const auto session = (*runtime)->open(*model);
  REQUIRE_MESSAGE(session.has_value(), session.error().detail);
  runtime->reset();
  std::array<call, 4> calls;
  {
    std::vector<std::jthread> threads;
    for (auto& one : calls)
      threads.emplace_back([&] {
        for (int i = 0; i < 20; ++i)
          one.run(**session).value();
      });
  }
  for (const auto& one : calls) {
    CHECK(one.probability[0] >= 0);
    CHECK(one.probability[0] < 0.5F);
    CHECK(one.next == calls[0].next);
  }
}

TEST_CASE("what does not fit the network, or its own shape, is refused") {
  const auto library = speech_models::find(library_name);
  const auto model = speech_models::find(model_name);
  if (!library || !model)
    return;
  const auto runtime = open_onnx_runtime(*library);
  REQUIRE(runtime.has_value());
  const auto session = (*runtime)->open(*model);
  REQUIRE(session.has_value());
  call one;
  for (const auto& got : {one.run(**session, "no such input"), one.run(**session, "input", 575),
                          one.run(**session, "input", 577), one.run(**session, "input", -576),
                          one.run(**session, "input", 0)}) {
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().code == errc::invalid);
  }
  CHECK(one.run(**session).has_value());
}

TEST_CASE("a model that is missing or none is named with its remedy") {
  const auto library = speech_models::find(library_name);
  if (!library)
    return;
  const auto runtime = open_onnx_runtime(*library);
  REQUIRE(runtime.has_value());
  const auto missing = (*runtime)->open("no/such/model.onnx");
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().reason == "no_model");
  const temporary_file file;
  for (const auto* const bytes : {"", "a text file\n"}) {
    file.write(bytes);
    const auto damaged = (*runtime)->open(file.path());
    REQUIRE_FALSE(damaged.has_value());
    CHECK(damaged.error().code == errc::damaged);
    CHECK(damaged.error().detail.find(file.path()) != std::string::npos);
  }
}

} // namespace sidevoice
