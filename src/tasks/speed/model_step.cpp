#include "tasks/speed/model_step.h"

#include <ATen/ops/_fused_adamw.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/error.h"
#include "core/log.h"
#include "kernels/decoder_ops.h"
#include "kernels/on_device.h"
#include "models/parameter_count.h"
#include "train/autocast.h"

namespace attnlab {
namespace {

constexpr int64_t kClasses = 2;
constexpr int64_t kFirstSymbol = 4;  // ids below it mean padding, start, end and unknown

}  // namespace

ModelStep::ModelStep(const StepSetting& setting)
    : setting_(setting), model_(setting.model, setting.vocabulary, setting.length, kClasses) {
  model_->to(setting.device);
  ids_ = torch::randint(kFirstSymbol, setting.vocabulary, {setting.batch, setting.length}, torch::kLong)
             .to(setting.device);
  labels_ = torch::randint(0, kClasses, {setting.batch}, torch::kLong).to(setting.device);
  for (auto& p : model_->parameters()) {
    p.mutable_grad() = torch::zeros_like(p);
    weights_.push_back(p);
    means_.push_back(torch::zeros_like(p));
    squares_.push_back(torch::zeros_like(p));
    steps_.push_back(torch::zeros({}, setting.device));
  }
}

void ModelStep::run(Pass pass) { pass == Pass::train ? train() : infer(); }

void ModelStep::train() {
  model_->train();
  for (auto& p : weights_) p.mutable_grad().zero_();
  torch::Tensor loss;
  {
    const Autocast autocast(setting_.precision, setting_.device);
    loss = torch::cross_entropy_loss(model_->forward(ids_), labels_);
  }
  loss.backward();
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> gradients;
  for (auto& p : weights_) gradients.push_back(p.grad());
  for (auto& step : steps_) step.add_(1);
  at::_fused_adamw_(weights_, gradients, means_, squares_, {}, steps_, 5e-5, 0.9, 0.98, 1e-4, 1e-8,
                    /*amsgrad=*/false, /*maximize=*/false);
}

void ModelStep::infer() {
  model_->eval();
  const torch::NoGradGuard no_grad;
  const Autocast autocast(setting_.precision, setting_.device);
  model_->forward(ids_);
}

double ModelStep::flops(Pass pass) const {
  const Autocast autocast(setting_.precision, setting_.device);  // under it other forms run
  const double forward = static_cast<double>(setting_.batch) * model_->flops(setting_.length);
  return pass == Pass::train ? 3.0 * forward + recomputed_flops(setting_) : forward;
}

int64_t ModelStep::parameters() const { return parameter_count(*model_); }

double seconds_of(torch::Device device, const std::function<void()>& work) {
  wait_for(device);
  const auto started = std::chrono::steady_clock::now();
  work();
  wait_for(device);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
}

double seconds_of(torch::Device device, int64_t runs, const std::function<void()>& work) {
  const auto all = [&] {
    for (int64_t i = 0; i < runs; ++i) work();
  };
  return seconds_of(device, all) / static_cast<double>(runs);
}

int64_t runs_between_waits(torch::Device device, const std::function<void()>& work) {
  constexpr double long_enough = 0.05, shortest = 1e-6;
  if (!device.is_cuda()) return 1;
  work();  // the first time of all loads its kernels
  double one = seconds_of(device, work);
  if (one < long_enough) one = seconds_of(device, 10, work);  // of one alone the wait may be most
  return 1 + static_cast<int64_t>(long_enough / std::max(shortest, one));
}

double seconds_each(torch::Device device, const std::function<void()>& work) {
  const int64_t runs = runs_between_waits(device, work);
  return std::min(seconds_of(device, runs, work), seconds_of(device, runs, work));
}

double recomputed_flops(const StepSetting& setting) {
  const EncoderOptions& e = setting.model.encoder;
  // Only the native operator recomputes (kernels/ops.h).
  if (!e.recompute || !setting.device.is_cpu() || setting.precision != Precision::fp32) return 0;
  return 2.0 * static_cast<double>(setting.batch * e.layers * setting.length * e.dim * e.ffn_dim);
}

ProductRate::ProductRate(int64_t size, torch::Device device, Precision precision) {
  const auto type = precision == Precision::bf16 ? torch::kBFloat16 : torch::kFloat;
  a_ = torch::randn({size, size}, torch::TensorOptions().device(device)).to(type);
  b_ = torch::randn_like(a_);
  out_ = torch::empty_like(a_);
}

double ProductRate::measure() {
  const double size = static_cast<double>(a_.size(0));
  const torch::NoGradGuard no_grad;
  const auto best = [this](const std::function<void()>& product) {
    return seconds_each(a_.device(), product);
  };
  double seconds = best([this] { torch::mm_out(out_, a_, b_); });
  if (a_.is_cpu() && a_.scalar_type() == torch::kFloat)
    seconds = std::min(seconds, best([this] { out_ = thin_linear(a_, b_); }));
  return 2.0 * size * size * size / seconds;
}

void summarise_quartiles(const std::string& name, const std::string& unit, const std::vector<double>& values,
                         RecordSink& record, const std::string& over) {
  const auto summarise = [&](const char* end, const char* which, double share) {
    record.summarise({name + end, quantile(values, share), unit,
                      fmt::format("{} quartile of {} over its {}", which, name, over),
                      Summary::Better::neither, static_cast<int64_t>(values.size()), Summary::unknown});
  };
  summarise(first_quartile_of, "first", 0.25);
  summarise(third_quartile_of, "third", 0.75);
}

double share_of_rate(const std::string& what, double share) {
  if (!(share > 1)) return share;
  log_info("{}: {:.0f} % of a measured rate cannot be, so the machine changed meanwhile; left out", what,
           100 * share);
  return Summary::unknown;
}

}  // namespace attnlab
