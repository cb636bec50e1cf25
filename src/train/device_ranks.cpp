#include "train/device_ranks.h"

#include <array>
#include <cstdlib>

#include "core/log.h"

namespace attnlab {

void DeviceRanks::sum(torch::Tensor& x) {
  if (DeviceLinks* const links = links_for(x)) return links->sum(x);
  host_->sum(x);
}

void DeviceRanks::broadcast(torch::Tensor& x, int from) {
  if (DeviceLinks* const links = links_for(x)) return links->broadcast(x, from);
  host_->broadcast(x, from);
}

DeviceLinks* DeviceRanks::links_for(const torch::Tensor& x) {
  if (x.is_cpu()) return nullptr;
  if (!asked_) links_ = joined(x.device());
  asked_ = true;
  return links_.get();
}

std::unique_ptr<DeviceLinks> DeviceRanks::joined(torch::Device device) {
  std::string reason = how_.why_not();
  // The larger the number, the lower the rank that cannot; 0: all can.
  std::array<double, 1> lacking{reason.empty() ? 0.0 : static_cast<double>(size() - rank())};
  host_->largest(lacking);
  if (lacking[0] == 0) return how_.join(*host_, device);
  const int which = size() - static_cast<int>(lacking[0]);
  host_->broadcast(reason, which);
  if (rank() == 0)
    log_info("gradients go from GPU to GPU by way of the CPU, because of process {}: {}", which + 1, reason);
  return nullptr;
}

bool DeviceRanks::part(int& status, double seconds) {
  if (!host_->part(status, seconds)) return false;
  links_.reset();  // all have come, so none waits for another
  return true;
}

void DeviceRanks::abort(int status) {
  host_->abort(status);
  std::_Exit(status);
}

}  // namespace attnlab
