// GPUs joined by NCCL. The program finds attnlab_join_nccl in this library and needs no NCCL itself; nor does
// the library use anything of the program but what headers define. Not run on GPUs yet.
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <nccl.h>

#include <algorithm>

#include "core/error.h"
#include "train/device_ranks.h"

namespace attnlab {
namespace {

void must(ncclResult_t result, const char* what) {
  if (result == ncclSuccess) return;
  const char* last = ncclGetLastError(nullptr);
  run_error("NCCL: {}: {} ({})", what, ncclGetErrorString(result), last ? last : "");
}

ncclDataType_t type_of(const torch::Tensor& x) {
  ensure(x.scalar_type() == torch::kFloat || x.scalar_type() == torch::kDouble, "sums in fp32 or double");
  return x.scalar_type() == torch::kFloat ? ncclFloat32 : ncclFloat64;
}

/// One communicator, from the first rank's id. What it does stands in Torch's current stream, behind what
/// made a tensor and before what reads it.
class NcclLinks final : public DeviceLinks {
 public:
  NcclLinks(Ranks& host, torch::Device device) : device_(device) {
    const c10::cuda::CUDAGuard guard(device);
    ncclUniqueId id{};
    const ncclResult_t begun = host.rank() == 0 ? ncclGetUniqueId(&id) : ncclSuccess;
    std::string bytes(id.internal, begun == ncclSuccess ? sizeof id.internal : 0);
    host.broadcast(bytes, 0);
    must(begun, "beginning");
    if (bytes.empty()) run_error("NCCL: the first process could not begin");
    std::copy(bytes.begin(), bytes.end(), id.internal);
    must(ncclCommInitRank(&all_, host.size(), id, host.rank()), "beginning");
  }
  ~NcclLinks() override { ncclCommDestroy(all_); }

  void sum(torch::Tensor& x) override {
    in_place(x, "summing", [&](const torch::Tensor& here, void* data, cudaStream_t stream) {
      return ncclAllReduce(data, data, static_cast<std::size_t>(here.numel()), type_of(here), ncclSum, all_,
                           stream);
    });
  }

  void broadcast(torch::Tensor& x, int from) override {
    in_place(x, "sharing", [&](const torch::Tensor& here, void* data, cudaStream_t stream) {
      return ncclBroadcast(data, data, here.nbytes(), ncclUint8, from, all_, stream);
    });
  }

 private:
  /// Runs body(tensor, its data, the stream) on x, or on a contiguous copy that comes back.
  template <class Body>
  void in_place(torch::Tensor& x, const char* what, const Body& body) {
    ensure(x.device() == device_, "a tensor on the GPU that was joined");
    const torch::NoGradGuard no_grad;
    const c10::cuda::CUDAGuard guard(device_);
    const torch::Tensor here = x.detach().contiguous();
    must(body(here, here.mutable_data_ptr(), c10::cuda::getCurrentCUDAStream().stream()), what);
    if (here.data_ptr() != x.data_ptr()) x.copy_(here);
  }

  const torch::Device device_;
  ncclComm_t all_ = nullptr;
};

}  // namespace
}  // namespace attnlab

extern "C" attnlab::DeviceLinks* attnlab_join_nccl(attnlab::Ranks& host, torch::Device device) {
  return new attnlab::NcclLinks(host, device);
}
