#include "train/resume.h"

#include <ATen/Context.h>

#include <mutex>

#include "core/error.h"
#include "io/checkpoint.h"

namespace attnlab {
namespace {

constexpr const char* state_key = "train_state";
constexpr const char* model_prefix = "model.";
constexpr const char* optimizer_prefix = "optimizer.";
constexpr const char* cpu_generator = "generator.cpu";
constexpr const char* device_generator = "generator.device";

torch::Tensor generator_state(torch::Device device) {
  at::Generator generator = at::globalContext().defaultGenerator(device);
  const std::lock_guard lock(generator.mutex());
  return generator.get_state();
}

void set_generator_state(torch::Device device, const torch::Tensor& state) {
  at::Generator generator = at::globalContext().defaultGenerator(device);
  const std::lock_guard lock(generator.mutex());
  generator.set_state(state.clone());
}

}  // namespace

void save_last(const std::filesystem::path& folder, const Resumable& live, const TrainState& state,
               Metadata about) {
  NamedTensors tensors = module_tensors(live.model, model_prefix);
  for (const auto& [name, tensor] : live.optimizer.state())
    tensors.emplace_back(optimizer_prefix + name, tensor);
  tensors.emplace_back(cpu_generator, generator_state(torch::kCPU));
  if (!live.device.is_cpu()) tensors.emplace_back(device_generator, generator_state(live.device));
  about[state_key] = to_text(state);
  about["update"] = std::to_string(state.update);
  save_checkpoint(last_checkpoint(folder), tensors, std::move(about));
}

TrainState resume_last(const std::filesystem::path& folder, const Resumable& live, uint64_t seed) {
  const SafetensorsFile file = open_checkpoint(last_checkpoint(folder));
  const auto text = file.metadata().find(state_key);
  if (text == file.metadata().end()) user_error("{} does not hold the state of a training run", file.path());
  const TrainState state = state_from_text(text->second, file.path());
  if (state.seed != seed)
    user_error("{} is of a run with seed {}, and this run has seed {}", file.path(), state.seed, seed);

  restore_tensors(file, module_tensors(live.model), model_prefix);
  restore_tensors(file, live.optimizer.state(), optimizer_prefix);
  set_generator_state(torch::kCPU, file.tensor(cpu_generator));
  if (!live.device.is_cpu() && file.find(device_generator))
    set_generator_state(live.device, file.tensor(device_generator));
  return state;
}

}  // namespace attnlab
