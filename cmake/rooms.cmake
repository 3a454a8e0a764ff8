# A room is one folder and one static library: add_room(NAME USES LOWER_ROOMS...).
# What a room may link beyond its lower rooms is listed here, in one place.
set(room_config_dependencies dep_log dep_sodium dep_asio)
set(room_persistence_dependencies dep_sqlite)
set(room_providers_dependencies dep_curl dep_flite dep_whisper)
set(room_actors_dependencies dep_caf)
set(room_gateway_dependencies dep_asio dep_openssl dep_prometheus dep_speexdsp)
set(room_cluster_dependencies)

function(add_room name)
  cmake_parse_arguments(room "" "" "USES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${name}/*.cpp ${CMAKE_SOURCE_DIR}/${name}/*/*.cpp)
  add_library(room_${name} STATIC ${sources})
  target_include_directories(room_${name} PUBLIC ${CMAKE_SOURCE_DIR})
  if(SIDEVOICE_SANITIZE AND name STREQUAL "actors")
    # The size of a mailbox is counted in CAF's headers, which take the head of an empty list for an element and do not
    # look at it.
    set_source_files_properties(${CMAKE_SOURCE_DIR}/actors/pulse.cpp PROPERTIES COMPILE_OPTIONS -fno-sanitize=vptr)
  endif()
  list(TRANSFORM room_USES PREPEND room_)
  target_link_libraries(room_${name} PUBLIC ${room_USES} ${room_${name}_dependencies} sidevoice_flags)
endfunction()
