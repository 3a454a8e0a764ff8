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

# flite: Debian ships neither a package file for CMake nor one for pkg-config. The order is that of its linking.
set(flite_libraries)
foreach(part cmu_us_slt cmu_us_rms cmu_us_awb cmu_us_kal16 usenglish cmulex)
  find_library(FLITE_${part} flite_${part} REQUIRED)
  list(APPEND flite_libraries ${FLITE_${part}})
endforeach()
find_library(FLITE_CORE flite REQUIRED)
add_dependency(flite LIBRARIES ${flite_libraries} ${FLITE_CORE} m)

pkg_check_modules(speexdsp REQUIRED IMPORTED_TARGET speexdsp)
add_dependency(speexdsp LIBRARIES PkgConfig::speexdsp)

# whisper.cpp is built by scripts/models.sh. Without it the program has no local speech to text and says so.
if(DEFINED ENV{SIDEVOICE_CACHE})
  set(speech_cache "$ENV{SIDEVOICE_CACHE}")
else()
  set(speech_cache "$ENV{HOME}/.cache/sidevoice")
endif()
set(whisper_folder "${speech_cache}/whisper.cpp-1.8.5")
if(EXISTS "${whisper_folder}/lib/libwhisper.a")
  add_dependency(whisper LIBRARIES "${whisper_folder}/lib/libwhisper.a" "${whisper_folder}/lib/libggml.a"
                 "${whisper_folder}/lib/libggml-cpu.a" "${whisper_folder}/lib/libggml-base.a" Threads::Threads
                 ${CMAKE_DL_LIBS} m)
  target_include_directories(dep_whisper SYSTEM INTERFACE "${whisper_folder}/include")
  # Of one source only, so that nothing else is compiled again when it comes or goes.
  set_source_files_properties(${CMAKE_SOURCE_DIR}/providers/speech/whisper_decoder.cpp
                              PROPERTIES COMPILE_DEFINITIONS SIDEVOICE_WHISPER)
else()
  add_dependency(whisper)
  message(STATUS "No whisper.cpp in ${speech_cache}: no local speech to text (scripts/models.sh builds it)")
endif()
