# macloom_stage(NAME DEPENDS stage... [LINK library...] [PRIVATE library...])
#
# One folder = one stage = one library `macloom_NAME` of all its *.cc files. A stage may include
# only the stages it names in DEPENDS (transitively); tests/dist/ checks the #include lines.
function(macloom_stage name)
  cmake_parse_arguments(ARG "" "DIR" "DEPENDS;LINK;PRIVATE" ${ARGN})
  if(NOT ARG_DIR)
    set(ARG_DIR "${CMAKE_CURRENT_SOURCE_DIR}")
  endif()
  file(GLOB sources CONFIGURE_DEPENDS "${ARG_DIR}/*.cc")
  set(target "macloom_${name}")
  if(sources)
    add_library(${target} STATIC ${sources})
    set(scope PUBLIC)
    macloom_warnings(${target})
    target_link_libraries(${target} PRIVATE ${ARG_PRIVATE})
    # Part of the shared library; MACLOOM_CHECK names files as the repository does.
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON
      CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
    target_compile_options(${target} PRIVATE "-fmacro-prefix-map=${CMAKE_SOURCE_DIR}/=")
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(${target} ${scope} "$<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}>"
    "$<BUILD_INTERFACE:${CMAKE_BINARY_DIR}/generated>")
  foreach(dependency IN LISTS ARG_DEPENDS)
    target_link_libraries(${target} ${scope} "macloom_${dependency}")
  endforeach()
  target_link_libraries(${target} ${scope} ${ARG_LINK})
endfunction()

function(macloom_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wconversion -Wno-sign-conversion)
  if(MACLOOM_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(MACLOOM_SANITIZE)
    target_compile_options(${target} PRIVATE -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=address,undefined)
  endif()
endfunction()

# macloom_test(FOLDER DEPENDS stage... [LABEL label])
#
# One test program `FOLDER_test` of tests/FOLDER/*_test.cc; every gtest case is one ctest entry.
function(macloom_test name)
  cmake_parse_arguments(ARG "" "LABEL;TIMEOUT" "DEPENDS;LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*_test.cc")
  if(NOT sources)
    return()
  endif()
  if(NOT ARG_LABEL)
    set(ARG_LABEL "${name}")
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 900)
  endif()
  set(target "${name}_test")
  add_executable(${target} ${sources})
  macloom_warnings(${target})
  target_include_directories(${target} PRIVATE "${CMAKE_SOURCE_DIR}")
  foreach(dependency IN LISTS ARG_DEPENDS)
    target_link_libraries(${target} PRIVATE "macloom_${dependency}")
  endforeach()
  target_link_libraries(${target} PRIVATE ${ARG_LINK} GTest::gmock GTest::gtest_main)
  target_compile_definitions(${target} PRIVATE MACLOOM_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  gtest_discover_tests(${target} DISCOVERY_MODE PRE_TEST
    PROPERTIES LABELS "${ARG_LABEL}" TIMEOUT ${ARG_TIMEOUT})
endfunction()

# Makes FILES part of stage `name`: NAMESPACE::FUNCTION() gives their bytes by file name. HEADER, which
# declares it, says where the generated source lies. BINARY: files that are no text.
function(macloom_embed name)
  cmake_parse_arguments(ARG "BINARY" "NAMESPACE;FUNCTION;HEADER" "FILES" ${ARGN})
  set(script "${CMAKE_SOURCE_DIR}/scripts/cmake/EmbedText.cmake")
  if(ARG_BINARY)
    set(script "${CMAKE_SOURCE_DIR}/scripts/cmake/EmbedBinary.cmake")
  endif()
  string(REGEX REPLACE "h$" "cc" source "${CMAKE_BINARY_DIR}/generated/${ARG_HEADER}")
  add_custom_command(
    OUTPUT "${source}"
    COMMAND "${CMAKE_COMMAND}" -D "OUTPUT=${source}" -D "NAMESPACE=${ARG_NAMESPACE}"
            -D "FUNCTION=${ARG_FUNCTION}" -D "HEADER=${ARG_HEADER}" -D "FILES=${ARG_FILES}" -P "${script}"
    DEPENDS ${ARG_FILES} "${script}" VERBATIM)
  target_sources("macloom_${name}" PRIVATE "${source}")
endfunction()
