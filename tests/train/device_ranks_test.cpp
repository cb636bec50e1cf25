// Which tensors go by the host and which from GPU to GPU. Torch's meta device stands for GPUs.
#include "train/device_ranks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/shared_library.h"
#include "cuda_libraries.h"

namespace attnlab {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Said = std::vector<std::string>;

/// The first of two ranks; the other says `others` wherever the largest number is asked for.
class HostOfTwo final : public Ranks {
 public:
  explicit HostOfTwo(Said& said, double others = 0) : said_(said), others_(others) {}
  int rank() const override { return 0; }
  int size() const override { return 2; }
  int local_rank() const override { return 0; }
  int local_size() const override { return 2; }
  void sum(torch::Tensor&) override { said_.emplace_back("host sums"); }
  void largest(std::span<double> numbers) override {
    said_.emplace_back("host compares");
    for (double& x : numbers) x = std::max(x, others_);
  }
  void broadcast(torch::Tensor&, int) override { said_.emplace_back("host shares"); }
  void broadcast(std::string& text, int from) override {
    said_.emplace_back("host tells");
    if (from != 0) text = "no library there";
  }
  bool part(int&, double seconds) override { return seconds > 1; }
  [[noreturn]] void abort(int status) override { std::_Exit(status); }

 private:
  Said& said_;
  double others_;
};

class FakeLinks final : public DeviceLinks {
 public:
  explicit FakeLinks(Said& said) : said_(said) {}
  ~FakeLinks() override { said_.emplace_back("links end"); }
  void sum(torch::Tensor&) override { said_.emplace_back("links sum"); }
  void broadcast(torch::Tensor&, int from) override { said_.push_back(fmt::format("links share {}", from)); }

 private:
  Said& said_;
};

struct DevicesOfRanks : testing::Test {
  DeviceRanks ranks_where(const std::string& why_not, double others = 0) {
    return {std::make_unique<HostOfTwo>(said, others),
            {[=] { return why_not; },
             [this](Ranks&, torch::Device device) {
               said.push_back("joined " + device.str());
               return std::make_unique<FakeLinks>(said);
             }}};
  }
  Said said;
  torch::Tensor on_cpu = torch::zeros(3), on_device = torch::zeros(3, torch::kMeta);
};

TEST_F(DevicesOfRanks, AreJoinedOnceByTheFirstTensorThatLiesThere) {
  DeviceRanks ranks = ranks_where("");
  ranks.sum(on_cpu);
  ranks.broadcast(on_cpu, 0);
  EXPECT_THAT(said, ElementsAre("host sums", "host shares"));
  said.clear();
  ranks.broadcast(on_device, 1);
  ranks.sum(on_device);
  ranks.sum(on_cpu);
  EXPECT_THAT(said, ElementsAre("host compares", "joined meta", "links share 1", "links sum", "host sums"));
}

TEST_F(DevicesOfRanks, CarryTheGradientsThatLieThere) {
  DeviceRanks ranks = ranks_where("");
  torch::Tensor weight = torch::zeros({2, 3}, torch::kMeta).requires_grad_();
  weight.mutable_grad() = torch::zeros({2, 3}, torch::kMeta);
  sum_gradients(ranks, {{"weight", weight}});
  EXPECT_THAT(said, ElementsAre("host compares", "joined meta", "links sum"));
}

TEST_F(DevicesOfRanks, GoByTheHostOnAllRanksWhereOneCannotBeJoined) {
  for (const auto& [mine, others] : {std::pair{"no GPU of its own", 0.0}, {"", 1.0}}) {
    said.clear();
    DeviceRanks ranks = ranks_where(mine, others);
    ranks.sum(on_device);
    ranks.broadcast(on_device, 0);
    EXPECT_THAT(said, ElementsAre("host compares", "host tells", "host sums", "host shares"));
  }
}

TEST_F(DevicesOfRanks, PartWhenAllHaveCome) {
  DeviceRanks ranks = ranks_where("");
  ranks.sum(on_device);
  said.clear();
  int status = 0;
  EXPECT_FALSE(ranks.part(status, 0.5));
  EXPECT_THAT(said, ElementsAre());
  EXPECT_TRUE(ranks.part(status, 2));
  EXPECT_THAT(said, ElementsAre("links end"));
}

TEST_F(DevicesOfRanks, AreRefusedBesideTheCpu) {
  HostOfTwo same(said), mixed(said, 1);
  EXPECT_NO_THROW(refuse_mixed_devices(same, torch::kCPU));
  EXPECT_NO_THROW(refuse_mixed_devices(same, torch::kMeta));
  try {
    refuse_mixed_devices(mixed, torch::kCPU);
    FAIL() << "taken";
  } catch (const UserError& e) {
    EXPECT_THAT(e.what(), HasSubstr("some on the CPU"));
  }
}

/// libattnlab_nccl.so, where it is built.
struct Nccl : testing::Test {
  void SetUp() override {
    if (!std::filesystem::exists(library)) GTEST_SKIP() << "built without NCCL: scripts/build cuda makes it";
    ASSERT_EQ(open_library(library), "");
  }
  const std::filesystem::path library =
      folder_of_function(reinterpret_cast<const void*>(&tova_attention)) / "libattnlab_nccl.so";
};

TEST_F(Nccl, OpensWithoutAGpu) { EXPECT_NE(function_named(library, "attnlab_join_nccl"), nullptr); }

TEST_F(Nccl, LeavesTheTensorsOfOneCudaRankAsTheyAre) {
  if (!why_no_cuda_operators().empty()) GTEST_SKIP() << why_no_cuda_operators();
  OneRank host;
  const auto join =
      reinterpret_cast<DeviceLinks* (*)(Ranks&, torch::Device)>(function_named(library, "attnlab_join_nccl"));
  const std::unique_ptr<DeviceLinks> links(join(host, torch::Device(torch::kCUDA, 0)));
  for (const auto type : {torch::kFloat, torch::kDouble}) {
    const torch::Tensor before = torch::randn({40, 30}, torch::dtype(type).device(torch::kCUDA));
    torch::Tensor whole = before.clone(), turned = before.clone().t();
    for (torch::Tensor* x : {&whole, &turned}) {
      links->sum(*x);
      links->broadcast(*x, 0);
    }
    EXPECT_TRUE(whole.equal(before));
    EXPECT_TRUE(turned.equal(before.t()));
  }
}

}  // namespace
}  // namespace attnlab
