#pragma once

#include "tests/config/app_support.hpp"

#include <string>
#include <vector>

namespace sidevoice::test {

/// A file of tests/config/faults: what its first lines say about it.
struct faulty_file {
  std::string path;
  std::string text;
  std::size_t line = 0;
  std::string key;
  /// Parts of what is said.
  std::string found;
  std::string remedy;
  /// What the published schema says of the file: "refuses", "accepts"; "none": it is no JSON.
  std::string schema;
  app_load_options options{"dev", variables()};
};

/// All of them, in the order of their names.
std::vector<faulty_file> faulty_files();

/// Every secret of those files: it must not turn up in any output.
inline constexpr const char* canary = "canary-7f3a";

/// Good files: the examples, and one with every key there is.
std::vector<std::string> good_files();

std::string read_whole(const std::string& path);

} // namespace sidevoice::test
