// Ranks whose tensors may lie on GPUs: these are summed and shared from GPU to GPU, all else by the host.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "train/ranks.h"

namespace attnlab {

/// What joins the GPUs of the ranks, one of each. Both functions are called by all ranks, in the same order,
/// with tensors on the GPU that was joined; neither waits for it.
class DeviceLinks {
 public:
  virtual ~DeviceLinks() = default;
  /// Replaces x, fp32 or double, by its sum over the ranks: the same bits on all of them.
  virtual void sum(torch::Tensor& x) = 0;
  /// Replaces what the others hold by what rank `from` holds.
  virtual void broadcast(torch::Tensor& x, int from) = 0;
};

/// How GPUs are joined, if they can be.
struct DeviceJoin {
  /// Why this rank's cannot, "" where it can.
  std::function<std::string()> why_not;
  /// Called by all ranks; they may talk through `host` meanwhile.
  std::function<std::unique_ptr<DeviceLinks>(Ranks& host, torch::Device device)> join;
};

/// Ranks that talk through `host`, and of tensors on a GPU through links that the first such tensor joins;
/// through the host of these as well where a rank's GPU cannot be joined.
class DeviceRanks final : public Ranks {
 public:
  DeviceRanks(std::unique_ptr<Ranks> host, DeviceJoin how) : host_(std::move(host)), how_(std::move(how)) {}
  int rank() const override { return host_->rank(); }
  int size() const override { return host_->size(); }
  int local_rank() const override { return host_->local_rank(); }
  int local_size() const override { return host_->local_size(); }
  void sum(torch::Tensor& x) override;
  void largest(std::span<double> numbers) override { host_->largest(numbers); }
  void broadcast(torch::Tensor& x, int from) override;
  void broadcast(std::string& text, int from) override { host_->broadcast(text, from); }
  bool part(int& status, double seconds) override;
  [[noreturn]] void abort(int status) override;

 private:
  /// What carries x; null: the host.
  DeviceLinks* links_for(const torch::Tensor& x);
  std::unique_ptr<DeviceLinks> joined(torch::Device device);

  std::unique_ptr<Ranks> host_;
  DeviceJoin how_;
  bool asked_ = false;
  std::unique_ptr<DeviceLinks> links_;
};

}  // namespace attnlab
