# Where the libraries come from. LibTorch is the PyPI wheel that scripts/setup puts into .venv, unless the user
# names another one with -DTorch_DIR=…/share/cmake/Torch.

find_package(Threads REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(HDF5 REQUIRED COMPONENTS C)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(GTest REQUIRED)

# Debian's package has no CMake file of its own.
find_path(SENTENCEPIECE_INCLUDE sentencepiece_processor.h REQUIRED)
find_library(SENTENCEPIECE_LIBRARY sentencepiece REQUIRED)
add_library(sentencepiece INTERFACE)
target_include_directories(sentencepiece SYSTEM INTERFACE ${SENTENCEPIECE_INCLUDE})
target_link_libraries(sentencepiece INTERFACE ${SENTENCEPIECE_LIBRARY})

add_library(attnlab_torch INTERFACE)
if(Torch_DIR)
  find_package(Torch REQUIRED)
  target_link_libraries(attnlab_torch INTERFACE ${TORCH_LIBRARIES})
else()
  # The wheel's own TorchConfig.cmake stops where no CUDA toolkit is installed, so the two libraries that matter
  # are imported by hand.
  file(GLOB torch_root ${PROJECT_SOURCE_DIR}/.venv/lib/python3*/site-packages/torch)
  if(DEFINED ENV{ATTNLAB_TORCH})
    set(torch_root $ENV{ATTNLAB_TORCH})
  endif()
  if(NOT EXISTS "${torch_root}/lib/libtorch_cpu.so")
    message(FATAL_ERROR "LibTorch not found: run scripts/setup, or name one with ATTNLAB_TORCH=…/site-packages/torch "
                        "or -DTorch_DIR=…/share/cmake/Torch")
  endif()
  target_include_directories(attnlab_torch SYSTEM INTERFACE ${torch_root}/include
                             ${torch_root}/include/torch/csrc/api/include)
  # nvidia/cu13/lib holds the small CUDA runtime libraries that libtorch_cpu.so is linked with.
  get_filename_component(nvidia_root ${torch_root}/../nvidia/cu13/lib ABSOLUTE)
  target_link_libraries(attnlab_torch INTERFACE ${torch_root}/lib/libtorch_cpu.so ${torch_root}/lib/libc10.so)
  target_link_options(attnlab_torch INTERFACE -Wl,-rpath,${torch_root}/lib -Wl,-rpath,${nvidia_root}
                      -Wl,-rpath-link,${torch_root}/lib -Wl,-rpath-link,${nvidia_root})
endif()
# Torch bundles fmt's headers, and they come before Debian's: use them without Debian's library.
target_compile_definitions(attnlab_torch INTERFACE FMT_HEADER_ONLY=1)
target_link_libraries(attnlab_torch INTERFACE Threads::Threads)

if(ATTNLAB_FUZZ)
  return()  # clang's OpenMP is a package of its own, and the fuzzers need none
endif()

# Torch's own OpenMP runtime: a second one beside it would mean two pools of threads.
find_package(OpenMP REQUIRED COMPONENTS CXX)
add_library(attnlab_openmp INTERFACE)
target_compile_options(attnlab_openmp INTERFACE ${OpenMP_CXX_FLAGS})
if(EXISTS "${torch_root}/lib/libgomp.so.1")
  target_link_libraries(attnlab_openmp INTERFACE ${torch_root}/lib/libgomp.so.1)
else()
  target_link_libraries(attnlab_openmp INTERFACE OpenMP::OpenMP_CXX)
endif()
