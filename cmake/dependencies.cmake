# Libraries of Debian bookworm, each behind a small target of ours (docs/building.md lists the packages).
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)

function(add_dependency name)
  cmake_parse_arguments(dep "" "" "LIBRARIES;DEFINITIONS" ${ARGN})
  add_library(dep_${name} INTERFACE)
  target_link_libraries(dep_${name} INTERFACE ${dep_LIBRARIES})
  target_compile_definitions(dep_${name} INTERFACE ${dep_DEFINITIONS})
endfunction()

# Debian's CAF 0.17.6 ships no CMake package file.
find_library(CAF_CORE caf_core REQUIRED)
find_library(CAF_IO caf_io REQUIRED)
add_dependency(caf LIBRARIES ${CAF_CORE} ${CAF_IO} Threads::Threads)

pkg_check_modules(sqlite REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(curl REQUIRED IMPORTED_TARGET libcurl>=7.87)
pkg_check_modules(prometheus REQUIRED IMPORTED_TARGET prometheus-cpp-core)
add_dependency(sqlite LIBRARIES PkgConfig::sqlite)
add_dependency(sodium LIBRARIES PkgConfig::sodium)
add_dependency(curl LIBRARIES PkgConfig::curl Threads::Threads)
add_dependency(prometheus LIBRARIES PkgConfig::prometheus)
add_dependency(openssl LIBRARIES OpenSSL::SSL OpenSSL::Crypto)
add_dependency(log LIBRARIES spdlog::spdlog fmt::fmt)
add_dependency(cli11)
add_dependency(asio LIBRARIES Threads::Threads
               DEFINITIONS BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_COROUTINE)
