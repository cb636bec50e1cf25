# attnlab_library(name [TORCH] LINKS …): the library of src/<name>, from every .cpp in that folder.
# attnlab_test(name LINKS …):           the test program of tests/<name>.
# TORCH asks for the precompiled <torch/torch.h>; a cold translation unit costs 25–30 s without it.

add_library(attnlab_options INTERFACE)
target_include_directories(attnlab_options INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_options(attnlab_options INTERFACE -Wall -Wextra $<$<BOOL:${ATTNLAB_WERROR}>:-Werror>)
if(ATTNLAB_SANITIZE)
  target_compile_options(attnlab_options INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=undefined
                         -fno-omit-frame-pointer)
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

function(attnlab_library name)
  cmake_parse_arguments(LIB "TORCH" "" "LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cpp)
  add_library(attnlab_${name} STATIC ${sources} ${PROJECT_BINARY_DIR}/empty.cpp)
  target_link_libraries(attnlab_${name} PUBLIC attnlab_options ${LIB_LINKS})
  if(LIB_TORCH)
    target_precompile_headers(attnlab_${name} REUSE_FROM attnlab_pch)
  endif()
endfunction()

function(attnlab_test name)
  cmake_parse_arguments(TEST "TORCH" "" "LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${name}/*.cpp)
  add_executable(test_${name} ${sources} ${PROJECT_BINARY_DIR}/empty.cpp)
  target_link_libraries(test_${name} PRIVATE attnlab_options ${TEST_LINKS} GTest::gtest GTest::gmock GTest::gtest_main)
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(test_${name} PRIVATE ATTNLAB_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                             ATTNLAB_BINARY="$<TARGET_FILE:attnlab>")
  if(TEST_TORCH)
    target_precompile_headers(test_${name} REUSE_FROM attnlab_pch)
  endif()
  # One process a folder: loading LibTorch costs a second, and scripts/test counts the cases from the XML.
  add_test(NAME ${name} COMMAND test_${name} --gtest_output=xml:${PROJECT_BINARY_DIR}/tests/xml/${name}.xml)
endfunction()
