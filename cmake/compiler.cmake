# Flags for every target of ours. Why each unusual one is here: docs/building.md.
add_library(sidevoice_flags INTERFACE)
target_compile_options(sidevoice_flags INTERFACE -Wall -Wextra -Wpedantic -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 misreads "literal" + std::to_string(n) as an overlapping copy, and takes a designated
  # initializer that leaves members at their defaults for a mistake.
  target_compile_options(sidevoice_flags INTERFACE -Wno-restrict -Wno-missing-field-initializers)
endif()

target_compile_options(sidevoice_flags INTERFACE -fstack-protector-strong)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
target_link_options(sidevoice_flags INTERFACE -pie -Wl,-z,relro,-z,now)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(sidevoice_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()

if(SIDEVOICE_SANITIZE)
  # -fno-sanitize=null: CAF 0.17.6 binds a null reference while it spawns function actors.
  target_compile_options(sidevoice_flags INTERFACE -fsanitize=address,undefined -fno-sanitize=null
                         -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  target_link_options(sidevoice_flags INTERFACE -fsanitize=address,undefined)
endif()
if(SIDEVOICE_FUZZ)
  target_compile_options(sidevoice_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
find_program(MOLD mold)
if(MOLD)
  target_link_options(sidevoice_flags INTERFACE -fuse-ld=mold)
endif()
