#include "tasks/training_step.h"

#include <ATen/Parallel.h>
#include <ATen/ops/_fused_adamw.h>
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>

#include "core/error.h"
#include "core/memory.h"

namespace attnlab {

TrainingStep::TrainingStep(const SpeedModel& model, int64_t vocabulary, int64_t batch, int64_t length)
    : model_(model.options, vocabulary, length, 2), batch_(batch), length_(length) {
  const EncoderOptions& e = model.options.encoder;
  if (e.recompute) recomputed_ = 2.0 * static_cast<double>(e.layers * length * e.dim * e.ffn_dim);
  ids_ = torch::randint(4, vocabulary, {batch, length}, torch::kLong);
  labels_ = torch::randint(0, 2, {batch}, torch::kLong);
  for (auto& p : model_->parameters()) {
    p.mutable_grad() = torch::zeros_like(p);
    weights_.push_back(p);
    means_.push_back(torch::zeros_like(p));
    squares_.push_back(torch::zeros_like(p));
    steps_.push_back(torch::zeros({}));
  }
}

void TrainingStep::run() {
  for (auto& p : weights_) p.mutable_grad().zero_();
  torch::cross_entropy_loss(model_->forward(ids_), labels_).backward();
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> gradients;
  for (auto& p : weights_) gradients.push_back(p.grad());
  for (auto& step : steps_) step.add_(1);
  at::_fused_adamw_(weights_, gradients, means_, squares_, {}, steps_, 5e-5, 0.9, 0.98, 1e-4, 1e-8,
                    /*amsgrad=*/false, /*maximize=*/false);
}

double TrainingStep::seconds() {
  const auto started = std::chrono::steady_clock::now();
  run();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
}

double TrainingStep::flops() const {
  return static_cast<double>(batch_) * (3.0 * model_->flops(length_) + recomputed_);
}

int64_t TrainingStep::parameters() const {
  int64_t n = 0;
  for (const auto& p : weights_) n += p.numel();
  return n;
}

namespace {

StepMemory measure_here(const SpeedModel& model, int64_t vocabulary, int64_t batch, int64_t length,
                        int64_t threads) {
  at::set_num_threads(static_cast<int>(threads));
  TrainingStep step(model, vocabulary, batch, length);
  // A first, short sequence brings in the libraries' own buffers, not the step's.
  TrainingStep(model, vocabulary, 1, 64).run();
  malloc_trim(0);
  const int64_t held = tensor_bytes(), resident = resident_bytes();
  reset_tensor_bytes_peak();
  const bool reset = reset_resident_bytes_peak();
  step.run();
  return {tensor_bytes_peak() - held, reset ? resident_bytes_peak() - resident : -1};
}

}  // namespace

StepMemory step_memory(const SpeedModel& model, int64_t vocabulary, int64_t batch, int64_t length,
                       int64_t threads) {
  int ends[2];
  if (::pipe(ends) != 0) run_error("cannot open a pipe to measure memory");
  const pid_t child = ::fork();
  if (child < 0) run_error("cannot start a process to measure memory");
  if (child == 0) {
    int status = 1;
    try {
      const StepMemory memory = measure_here(model, vocabulary, batch, length, threads);
      status = ::write(ends[1], &memory, sizeof memory) == sizeof memory ? 0 : 1;
    } catch (const std::exception&) {  // too little memory, most likely: the parent says so
    }
    ::_exit(status);
  }
  ::close(ends[1]);
  StepMemory memory;
  const bool got = ::read(ends[0], &memory, sizeof memory) == sizeof memory;
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!got || status != 0)
    run_error("the step of {} at {} tokens did not fit into memory", model.name, length);
  return memory;
}

}  // namespace attnlab
