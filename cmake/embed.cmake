# Puts text files into the binary: embed_texts(TARGET HEADER FUNCTION=FILE...) defines each FUNCTION, which HEADER declares as
# `std::string_view FUNCTION();` in namespace sidevoice. As a script (cmake -P) it writes that source file.
if(CMAKE_SCRIPT_MODE_FILE)
  set(code "// Made by cmake/embed.cmake.\n#include \"${HEADER}\"\n\nnamespace sidevoice {\n\n")
  foreach(entry IN LISTS ENTRIES)
    string(REGEX MATCH "^([a-z_]+)=(.*)$" _ "${entry}")
    set(function ${CMAKE_MATCH_1})
    file(READ "${CMAKE_MATCH_2}" text)
    string(APPEND code "std::string_view ${function}() {\n  return R\"____(${text})____\";\n}\n\n")
  endforeach()
  file(WRITE "${OUTPUT}" "${code}} // namespace sidevoice\n")
  return()
endif()

set(embed_script ${CMAKE_CURRENT_LIST_FILE})
function(embed_texts target header)
  set(entries)
  set(files)
  foreach(entry IN LISTS ARGN)
    string(REGEX MATCH "^([a-z_]+)=(.*)$" _ "${entry}")
    list(APPEND entries "${CMAKE_MATCH_1}=${CMAKE_SOURCE_DIR}/${CMAKE_MATCH_2}")
    list(APPEND files "${CMAKE_SOURCE_DIR}/${CMAKE_MATCH_2}")
  endforeach()
  set(output ${CMAKE_BINARY_DIR}/embedded/${target}.cpp)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} "-DHEADER=${header}" "-DENTRIES=${entries}" "-DOUTPUT=${output}" -P ${embed_script}
    DEPENDS ${files} ${embed_script}
    COMMENT "Embedding texts into ${target}"
    VERBATIM)
  target_sources(${target} PRIVATE ${output})
endfunction()
