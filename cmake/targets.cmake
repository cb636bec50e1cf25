# attnlab_library(name [TORCH] LINKS …): the library of src/<name>, from every .cpp in that folder and beneath.
# attnlab_test(name LINKS …):           the test program of tests/<name>.
# TORCH asks for the precompiled <torch/torch.h>; a cold translation unit costs 25–30 s without it. Loading it costs
# 8 s, so sources that reach no Torch header do without.

add_library(attnlab_options INTERFACE)
target_include_directories(attnlab_options INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_options(attnlab_options INTERFACE -Wall -Wextra $<$<BOOL:${ATTNLAB_WERROR}>:-Werror>)
if(ATTNLAB_SANITIZE)
  target_compile_options(attnlab_options INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=undefined
                         -fno-omit-frame-pointer
                         -Wno-maybe-uninitialized)  # of which the checks' own code makes g++ 12 warn within <functional>
  target_link_options(attnlab_options INTERFACE -fsanitize=address,undefined)
endif()
if(ATTNLAB_TSAN)
  target_compile_options(attnlab_options INTERFACE -fsanitize=thread)
  target_link_options(attnlab_options INTERFACE -fsanitize=thread)
endif()
target_link_libraries(attnlab_options INTERFACE attnlab_torch)

file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/empty.cpp CONTENT "")  # unlike WRITE, leaves an equal file alone
add_library(attnlab_pch OBJECT ${PROJECT_BINARY_DIR}/empty.cpp)
target_link_libraries(attnlab_pch PRIVATE attnlab_options)
target_precompile_headers(attnlab_pch PRIVATE <torch/torch.h>)

# Whether a source reaches a Torch header through the project's own headers. Only build time depends on the answer:
# every source compiles with and without the precompiled header.
function(attnlab_reaches_torch file result)
  get_property(answer GLOBAL PROPERTY "reaches_torch ${file}")
  if("${answer}" STREQUAL "")
    set(answer FALSE)
    set_property(GLOBAL PROPERTY "reaches_torch ${file}" FALSE)
    file(STRINGS ${file} includes REGEX "^#include")
    foreach(include IN LISTS includes)
      if(include MATCHES "<(torch|ATen|c10)/")
        set(answer TRUE)
      elseif(include MATCHES "\"(.+)\"")
        set(name ${CMAKE_MATCH_1})
        foreach(root src tests)
          if(NOT answer AND EXISTS ${PROJECT_SOURCE_DIR}/${root}/${name})
            attnlab_reaches_torch(${PROJECT_SOURCE_DIR}/${root}/${name} answer)
          endif()
        endforeach()
      endif()
    endforeach()
    set_property(GLOBAL PROPERTY "reaches_torch ${file}" ${answer})
  endif()
  set(${result} ${answer} PARENT_SCOPE)
endfunction()

# Even with the precompiled header a source that uses Torch costs 5 s before its first line, so such sources are compiled
# together, several to a unit (off with ATTNLAB_UNITY=OFF: better while one file is being changed).
function(attnlab_precompile target)
  target_precompile_headers(${target} REUSE_FROM attnlab_pch)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${ATTNLAB_UNITY} UNITY_BUILD_BATCH_SIZE 12)
  foreach(source IN LISTS ARGN)
    attnlab_reaches_torch(${source} needed)
    if(NOT needed)
      set_source_files_properties(${source} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
    endif()
  endforeach()
endfunction()

function(attnlab_library name)
  cmake_parse_arguments(LIB "TORCH" "" "LINKS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS *.cpp)
  add_library(attnlab_${name} STATIC ${sources})
  target_link_libraries(attnlab_${name} PUBLIC attnlab_options ${LIB_LINKS})
  if(LIB_TORCH)
    attnlab_precompile(attnlab_${name} ${sources})
  endif()
endfunction()

function(attnlab_test name)
  cmake_parse_arguments(TEST "TORCH" "" "LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${name}/*.cpp ${name}/*/*_test.cpp)
  add_executable(test_${name} ${sources})
  target_link_libraries(test_${name} PRIVATE attnlab_options ${TEST_LINKS} GTest::gtest GTest::gmock GTest::gtest_main)
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(test_${name} PRIVATE ATTNLAB_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                             ATTNLAB_BINARY="$<TARGET_FILE:attnlab>")
  # A quarter of a test's compile time is optimisation that it does not need: what it calls is compiled with all of it.
  target_compile_options(test_${name} PRIVATE $<$<CONFIG:Release>:-O1>)
  if(TEST_TORCH)
    attnlab_precompile(test_${name} ${sources})
  endif()
  # One process a folder: loading LibTorch costs a second, and scripts/test counts the cases from the XML.
  add_test(NAME ${name} COMMAND test_${name} --gtest_output=xml:${PROJECT_BINARY_DIR}/tests/xml/${name}.xml)
endfunction()
