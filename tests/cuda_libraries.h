// LibTorch's CUDA library and the project's, opened by tests that need a GPU.
#pragma once

#include <ATen/Context.h>
#include <dlfcn.h>
#include <torch/torch.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "kernels/bounded_operators.h"

namespace attnlab {

inline std::filesystem::path folder_of_function(const void* function) {
  Dl_info info{};
  dladdr(function, &info);
  return std::filesystem::path(info.dli_fname).parent_path();
}

/// Opens LibTorch's CUDA library and the project's. Returns "" or why there is nothing to test.
inline std::string open_cuda_operators() {
  void* const driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!driver) return "no CUDA device here: there is no NVIDIA driver";
  const std::filesystem::path own =
      folder_of_function(reinterpret_cast<const void*>(&tova_attention)) / "libattnlab_ops_cuda.so";
  if (!std::filesystem::exists(own)) return "built without the CUDA operators: scripts/build cuda makes them";
  const auto threads = reinterpret_cast<const void*>(static_cast<int (*)()>(&at::get_num_threads));
  for (const std::filesystem::path& library : {folder_of_function(threads) / "libtorch_cuda.so", own})
    if (!dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL)) return dlerror();
  if (!torch::cuda::is_available()) return "no CUDA device here that Torch can use";
  at::globalContext().setSDPUseCuDNN(false);  // as in a run (run/device.cpp)
  return "";
}

/// open_cuda_operators(), once a program.
inline const std::string& why_no_cuda_operators() {
  static const std::string reason = open_cuda_operators();
  return reason;
}

/// Before any test: Torch looks CUDA up once, at the first seed that is set, and has none for good if it is
/// not open then.
inline const bool looked_for_cuda_first = (why_no_cuda_operators(), true);

/// Whether a test that needs a GPU must not be skipped: where ATTNLAB_REQUIRE_CUDA=1 says that there is one.
inline bool cuda_is_required() {
  const char* word = std::getenv("ATTNLAB_REQUIRE_CUDA");
  return word != nullptr && std::string(word) == "1";
}

}  // namespace attnlab

/// First in a test that needs a GPU: skips it with the reason where there is none, and fails it where one is
/// required.
#define ATTNLAB_NEEDS_CUDA()                                                             \
  if (const std::string& reason = attnlab::why_no_cuda_operators(); !reason.empty()) {   \
    if (attnlab::cuda_is_required()) FAIL() << "ATTNLAB_REQUIRE_CUDA=1, but " << reason; \
    GTEST_SKIP() << reason;                                                              \
  }
