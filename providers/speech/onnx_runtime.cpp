#include "providers/speech/onnx_runtime.hpp"

#include <dlfcn.h>
#include <elf.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <utility>

namespace sidevoice {

namespace {

/// The C interface is one table of functions whose order is frozen; these are the places of those
/// that are called here. No registry serves the header beside the library.
enum slot : std::size_t {
  get_error_message = 2,
  create_env = 3,
  create_session = 7,
  run_session = 9,
  create_session_options = 10,
  set_graph_optimization = 23,
  set_intra_threads = 24,
  set_inter_threads = 25,
  create_tensor = 49,
  create_cpu_memory = 69,
  release_env = 92,
  release_status = 93,
  release_memory = 94,
  release_session = 95,
  release_value = 96,
  release_session_options = 100,
};

constexpr std::uint32_t interface_version = 17;
constexpr int log_errors_only = 3;
constexpr int all_optimizations = 99;
constexpr int element_float = 1;
constexpr int element_int64 = 7;

/// What the library makes; only it knows what is inside.
struct opaque;
using status = opaque*;
using function_table = const void* const*;

struct api_base {
  function_table (*get_api)(std::uint32_t version);
  const char* (*version)();
};

/// The library's functions, by slot. Status null is good.
class library_functions {
public:
  explicit library_functions(function_table table) : table_(table) {}

  template <class... Arguments>
  [[nodiscard]] status call(slot which, Arguments... arguments) const {
    return reinterpret_cast<status (*)(Arguments...)>(const_cast<void*>(table_[which]))(
      arguments...);
  }

  void release(slot which, opaque* what) const {
    if (what != nullptr)
      reinterpret_cast<void (*)(opaque*)>(const_cast<void*>(table_[which]))(what);
  }

  /// What went wrong, and lets go of it.
  [[nodiscard]] std::string message(status failed) const {
    const auto get = reinterpret_cast<const char* (*)(const opaque*)>(
      const_cast<void*>(table_[get_error_message]));
    std::string out = get(failed);
    release(release_status, failed);
    return out;
  }

private:
  function_table table_;
};

/// Owns one thing that the library made.
class held {
public:
  held(const library_functions& from, slot release) : from_(&from), release_(release) {}
  held(held&& other) noexcept
      : from_(other.from_),
        release_(other.release_),
        what_(std::exchange(other.what_, nullptr)) {}
  held(const held&) = delete;
  held& operator=(const held&) = delete;
  held& operator=(held&&) = delete;
  ~held() {
    from_->release(release_, what_);
  }

  [[nodiscard]] opaque* get() const {
    return what_;
  }
  opaque** out() {
    return &what_;
  }

private:
  const library_functions* from_;
  slot release_;
  opaque* what_ = nullptr;
};

/// What all sessions share. The library logs to standard error, errors only.
struct environment {
  explicit environment(function_table table) : functions(table) {}

  library_functions functions;
  held env{functions, release_env};
  held memory{functions, release_memory};
};

error invalid(std::string detail) {
  return {errc::invalid, std::move(detail)};
}

/// True where the values are as many as the shape says.
bool fits(const onnx_value& value) {
  const auto count = std::visit([](auto values) { return values.size(); }, value.values);
  std::size_t product = 1;
  for (const auto size : value.shape) {
    if (size <= 0 || product > count / static_cast<std::size_t>(size))
      return false;
    product *= static_cast<std::size_t>(size);
  }
  return product == count;
}

class session final : public onnx_session {
public:
  session(std::shared_ptr<const environment> where, held loaded)
      : where_(std::move(where)),
        loaded_(std::move(loaded)) {}

  result<void> run(std::span<const onnx_value> inputs,
                   std::span<const onnx_value> outputs) override {
    std::vector<held> values;
    values.reserve(inputs.size() + outputs.size());
    for (const auto side : {inputs, outputs})
      for (const auto& value : side)
        if (auto wrapped = wrap(value))
          values.push_back(std::move(*wrapped));
        else
          return wrapped.error();
    std::vector<const char*> names;
    std::vector<opaque*> pointers;
    for (const auto side : {inputs, outputs})
      for (const auto& value : side)
        names.push_back(value.name.c_str());
    for (const auto& value : values)
      pointers.push_back(value.get());
    const auto* const no_options = static_cast<const opaque*>(nullptr);
    const auto failed = where_->functions.call(run_session, loaded_.get(), no_options, names.data(),
                                               pointers.data(), inputs.size(),
                                               names.data() + inputs.size(), outputs.size(),
                                               pointers.data() + inputs.size());
    if (failed != nullptr)
      return invalid("ONNX Runtime refused the call: " + where_->functions.message(failed));
    return {};
  }

private:
  [[nodiscard]] result<held> wrap(const onnx_value& value) const {
    if (!fits(value))
      return invalid("the values of " + value.name + " are not as many as its shape says");
    const auto type = std::holds_alternative<std::span<float>>(value.values) ? element_float
                                                                             : element_int64;
    const auto [data, bytes] = std::visit(
      [](auto values) {
        return std::pair<void*, std::size_t>{values.data(), values.size_bytes()};
      },
      value.values);
    const auto& functions = where_->functions;
    held out{functions, release_value};
    if (const auto failed = functions.call(create_tensor, where_->memory.get(), data, bytes,
                                           value.shape.data(), value.shape.size(), type, out.out()))
      return invalid("ONNX Runtime refused " + value.name + ": " + functions.message(failed));
    return out;
  }

  std::shared_ptr<const environment> where_;
  held loaded_;
};

class runtime final : public onnx_runtime {
public:
  runtime(std::shared_ptr<const environment> where, std::string version)
      : where_(std::move(where)),
        version_(std::move(version)) {}

  [[nodiscard]] result<std::unique_ptr<onnx_session>>
  open(const std::string& model) const override {
    std::error_code failed;
    if (!std::filesystem::is_regular_file(model, failed))
      return error{errc::not_found,
                   "there is no model at " + model
                     + "; run scripts/models.sh, "
                       "which fetches it",
                   {},
                   "no_model"};
    const auto& functions = where_->functions;
    held options{functions, release_session_options};
    held loaded{functions, release_session};
    auto bad = functions.call(create_session_options, options.out());
    // One thread: a pool that spins for each network would take cores from the sessions.
    if (bad == nullptr)
      bad = functions.call(set_intra_threads, options.get(), 1);
    if (bad == nullptr)
      bad = functions.call(set_inter_threads, options.get(), 1);
    if (bad == nullptr)
      bad = functions.call(set_graph_optimization, options.get(), all_optimizations);
    if (bad == nullptr)
      bad = functions.call(create_session, where_->env.get(), model.c_str(),
                           static_cast<const opaque*>(options.get()), loaded.out());
    if (bad != nullptr)
      return error{errc::damaged,
                   "the model " + model + " cannot be loaded: " + functions.message(bad)
                     + "; run scripts/models.sh, which fetches it again",
                   {},
                   "damaged_model"};
    return std::unique_ptr<onnx_session>{std::make_unique<session>(where_, std::move(loaded))};
  }

  [[nodiscard]] std::string version() const override {
    return version_;
  }

private:
  std::shared_ptr<const environment> where_;
  std::string version_;
};

error unusable(const std::string& library, const std::string& why) {
  return {errc::damaged,
          "the library " + library + " cannot be used: " + why
            + "; run scripts/models.sh, which fetches it, or name ONNX Runtime 1.17 or newer",
          {},
          "damaged_library"};
}

/// False for a library whose end is missing: the loader would map what is not there, and the first
/// touch of it would end the process by SIGBUS. Other damage is the loader's to find.
bool is_whole(const std::filesystem::path& library) {
  std::error_code failed;
  const auto size = std::filesystem::file_size(library, failed);
  std::ifstream in{library, std::ios::binary};
  Elf64_Ehdr head;
  if (failed || !in.read(reinterpret_cast<char*>(&head), sizeof head))
    return false;
  if (head.e_phentsize != sizeof(Elf64_Phdr))
    return true;
  in.seekg(static_cast<std::streamoff>(head.e_phoff));
  Elf64_Phdr part;
  for (unsigned n = 0; n < head.e_phnum; ++n) {
    if (!in.read(reinterpret_cast<char*>(&part), sizeof part))
      return false;
    if (part.p_type == PT_LOAD && (part.p_filesz > size || part.p_offset > size - part.p_filesz))
      return false;
  }
  return true;
}

} // namespace

result<std::shared_ptr<onnx_runtime>> open_onnx_runtime(const std::string& library) {
  std::error_code failed;
  const auto path = std::filesystem::absolute(library, failed);
  if (failed || !std::filesystem::is_regular_file(path, failed))
    return error{errc::not_found,
                 "there is no ONNX Runtime at " + library
                   + "; run scripts/models.sh, which fetches it",
                 {},
                 "no_library"};
  if (!is_whole(path))
    return unusable(library, "it is cut off");
  // Its threads and statics may outlive us: it is never unloaded.
  auto* const handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr)
    return unusable(library, dlerror());
  auto* const entry = dlsym(handle, "OrtGetApiBase");
  if (entry == nullptr)
    return unusable(library, "it is not ONNX Runtime");
  const auto* const base = reinterpret_cast<const api_base* (*)()>(entry)();
  const auto table = base == nullptr ? nullptr : base->get_api(interface_version);
  if (table == nullptr)
    return unusable(library, "it is older than 1.17");
  auto where = std::make_shared<environment>(table);
  const auto& functions = where->functions;
  auto bad = functions.call(create_env, log_errors_only, "sidevoice", where->env.out());
  if (bad == nullptr)
    bad = functions.call(create_cpu_memory, 0, 0, where->memory.out());
  if (bad != nullptr)
    return unusable(library, functions.message(bad));
  return std::shared_ptr<onnx_runtime>{
    std::make_shared<runtime>(std::move(where), base->version())};
}

} // namespace sidevoice
