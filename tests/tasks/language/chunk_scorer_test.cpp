// How many tokens go through the layers at a time.
#include "tasks/language/chunk_scorer.h"

#include <gtest/gtest.h>

namespace attnlab {
namespace {

TEST(SliceLength, IsWhatIsAskedForOnAnyDevice) {
  for (const torch::DeviceType device : {torch::kCPU, torch::kCUDA}) {
    EXPECT_EQ(slice_length(1, device), 1);
    EXPECT_EQ(slice_length(20000, device), 20000);
  }
}

TEST(SliceLength, OfItselfIsWhatCachesHoldOnTheCpuAndAllThereIsOnAGpu) {
  EXPECT_EQ(slice_length(0, torch::kCPU), 8192);
  EXPECT_GT(slice_length(0, torch::kCUDA), int64_t{1} << 40) << "behind a slice a GPU goes token by token";
  EXPECT_GT(slice_length(0, torch::kCUDA) + (int64_t{1} << 40), 0) << "the end of a slice does not overflow";
}

}  // namespace
}  // namespace attnlab
