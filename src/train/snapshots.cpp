#include "train/snapshots.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "core/error.h"
#include "io/checkpoint.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

constexpr const char* averaged_key = "updates";

torch::Dtype type_of_mean(const torch::Tensor& of) {
  if (!of.is_floating_point()) return torch::kInt64;
  return of.scalar_type() == torch::kDouble ? torch::kDouble : torch::kFloat;
}

}  // namespace

Snapshots::Snapshots(const fs::path& run_folder, bool on_disk, Metadata about)
    : run_folder_(run_folder),
      folder_(run_folder / "checkpoint" / "snapshots"),
      on_disk_(on_disk),
      about_(std::move(about)) {}

fs::path Snapshots::file_of(int64_t update) const { return folder_ / fmt::format("{}.safetensors", update); }

void Snapshots::take(const torch::nn::Module& model, int64_t update) {
  if (on_disk_)
    save_weights(file_of(update), model, {{"update", std::to_string(update)}});
  else
    in_memory_[update] = copies_of(model);
}

void Snapshots::keep_only(const std::vector<int64_t>& updates) {
  std::erase_if(in_memory_, [&](const auto& one) { return std::ranges::count(updates, one.first) == 0; });
  if (!on_disk_ || !fs::exists(folder_)) return;
  std::vector<fs::path> kept, others;
  for (const int64_t update : updates) kept.push_back(file_of(update));
  for (const auto& entry : fs::directory_iterator(folder_))
    if (std::ranges::count(kept, entry.path()) == 0) others.push_back(entry.path());
  for (const fs::path& file : others) fs::remove(file);
  if (updates.empty()) fs::remove(folder_);
}

void Snapshots::load(torch::nn::Module& model, int64_t update) const {
  if (on_disk_) {
    if (!fs::exists(file_of(update)))
      user_error("{} is missing, which the run's average is made of: start over with --fresh",
                 file_of(update).string());
    return load_weights(model, file_of(update));
  }
  put_copies(in_memory_.at(update), model);
}

void Snapshots::put_mean(torch::nn::Module& model, const std::vector<int64_t>& updates) const {
  const NamedTensors live = module_tensors(model);
  std::vector<torch::Tensor> sums;
  for (const auto& [name, tensor] : live)
    sums.push_back(
        torch::zeros_like(tensor, tensor.options().dtype(type_of_mean(tensor)).requires_grad(false)));
  for (const int64_t update : updates) {
    load(model, update);
    for (std::size_t i = 0; i < live.size(); ++i) sums[i] += live[i].second.detach();
  }
  const auto n = static_cast<int64_t>(updates.size());
  for (std::size_t i = 0; i < live.size(); ++i) {
    const char* rounding = sums[i].is_floating_point() ? nullptr : "floor";
    torch::Tensor(live[i].second)
        .copy_(rounding ? torch::div(sums[i], n, rounding) : sums[i] / static_cast<double>(n));
  }
}

void Snapshots::average(torch::nn::Module& model, const std::vector<int64_t>& updates) {
  const torch::NoGradGuard no_grad;
  const fs::path file = average_checkpoint(run_folder_);
  const std::string named = fmt::format("{}", fmt::join(updates, ","));
  if (on_disk_ && fs::exists(file)) {
    Metadata said = SafetensorsFile::open(file).metadata();
    if (said[averaged_key] == named) return load_weights(model, file);
  }
  put_mean(model, updates);
  if (!on_disk_) return;
  Metadata said{{averaged_key, named}};
  said.insert(about_.begin(), about_.end());
  save_weights(file, model, std::move(said));
  keep_only({});
}

}  // namespace attnlab
