#include "train/ranks.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "core/error.h"

namespace attnlab {
namespace {

constexpr int64_t message_numbers = int64_t{4} << 20;  // 16 MiB of fp32

std::string words_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const c10::Error& e) {
    return e.what_without_backtrace();
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "an exception of unknown type";
  }
}

/// Sums tensors of one type as one message.
void sum_together(Ranks& ranks, const std::vector<torch::Tensor>& tensors) {
  std::vector<torch::Tensor> flat;
  for (const torch::Tensor& x : tensors) flat.push_back(x.flatten());
  torch::Tensor all = at::cat(flat);
  ranks.sum(all);
  int64_t first = 0;
  for (torch::Tensor x : tensors) {
    x.copy_(all.narrow(0, first, x.numel()).view(x.sizes()));
    first += x.numel();
  }
}

}  // namespace

void Ranks::release(bool begin) {
  if (has_released_ || size() == 1) return;
  has_released_ = true;
  std::array<double, 1> word{begin ? 1.0 : 0.0};
  largest(word);
}

bool Ranks::released() {
  std::array<double, 1> word{0};
  largest(word);
  return word[0] > 0;
}

void OneRank::abort(int status) { std::_Exit(status); }

void agree(Ranks& ranks, const std::exception_ptr& error) {
  // The larger the number, the lower the rank; 0: none.
  std::array<double, 1> failed{error ? static_cast<double>(ranks.size() - ranks.rank()) : 0.0};
  ranks.largest(failed);
  if (failed[0] == 0) return;
  const int which = ranks.size() - static_cast<int>(failed[0]);
  std::string words = error ? words_of(error) : "";
  ranks.broadcast(words, which);
  if (error) std::rethrow_exception(error);
  run_error("rank {}: {}", which, words);
}

void refuse_mixed_devices(Ranks& ranks, torch::Device device) {
  std::array<double, 2> there{device.is_cpu() ? 1.0 : 0.0, device.is_cpu() ? 0.0 : 1.0};
  ranks.largest(there);
  if (there[0] > 0 && there[1] > 0)
    user_error("some of the {} processes would compute on a GPU and some on the CPU: say device=cpu, or cuda",
               ranks.size());
}

void sum_gradients(Ranks& ranks, const NamedTensors& parameters) {
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> message;
  int64_t numbers = 0;
  const auto send = [&] {
    if (!message.empty()) sum_together(ranks, message);
    message.clear();
    numbers = 0;
  };
  for (const auto& [name, parameter] : parameters) {
    const torch::Tensor& gradient = parameter.grad();
    if (!gradient.defined()) continue;
    const bool fits = message.empty() || (message.front().scalar_type() == gradient.scalar_type() &&
                                          numbers + gradient.numel() <= message_numbers);
    if (!fits) send();
    message.push_back(gradient);
    numbers += gradient.numel();
  }
  send();
}

}  // namespace attnlab
