// attnlab doctor: what was found on this machine.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "core/output.h"
#include "run/commands.h"
#include "run/device.h"
#include "run/gpu.h"
#include "run/machine.h"
#include "run/options.h"
#include "run/version.h"
#include "tables/text_table.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;

std::string gibibytes(int64_t bytes) {
  return bytes < 0 ? "unknown" : fmt::format("{:.1f} GiB", static_cast<double>(bytes) / kGiB);
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) {
    if (!text.empty()) text += ", ";
    text += word;
  }
  return text.empty() ? "none of those used here" : text;
}

/// "torch" from "version_torch".
std::string product(const std::string& attribute) {
  constexpr std::string_view prefix = "version_";
  return attribute.starts_with(prefix) ? attribute.substr(prefix.size()) : attribute;
}

/// Best of several, because a shared machine only ever makes it slower.
double matrix_product_rate() {
  constexpr int64_t n = 2048;
  constexpr int repetitions = 8;
  const torch::Tensor a = torch::rand({n, n}), b = torch::rand({n, n});
  torch::mm(a, b);  // warm-up
  double best = 1e30;
  for (int i = 0; i < repetitions; ++i) {
    const auto start = std::chrono::steady_clock::now();
    torch::mm(a, b);
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return 2.0 * n * n * n / best;
}

void add_gpu(TextTable& table) {
  const std::string gpu = gpu_name();
  if (gpu.empty()) {
    table.rows.push_back({"CUDA", "no device that the NVIDIA driver knows"});
    return;
  }
  const torch::Device device = choose_device("auto");
  table.rows.push_back(
      {"CUDA", gpu + (device.is_cuda() ? ", usable" : ", but not usable (see the line above)")});
  table.rows.push_back({"GPU", gpu_state().words()});
  table.rows.push_back({"GPU memory", gibibytes(gpu_memory())});
  if (device.is_cuda()) table.rows.push_back({"Torch's attention", cuda_words(device)});
}

void add_data_sets(TextTable& table, const fs::path& root) {
  table.rows.push_back({"data folder", root.string() + (fs::is_directory(root) ? "" : " (absent)")});
  for (const auto& entry : registry<SequenceDataOptions>()) {
    const fs::path folder = root / entry.name;
    table.rows.push_back({"data set " + entry.name, fs::is_directory(folder)
                                                        ? "found in " + folder.string()
                                                        : "no files here; `attnlab explain " + entry.name +
                                                              "` says whether it needs any"});
  }
}

}  // namespace

int doctor_command(bool measure) {
  const Machine machine = this_machine();
  const RunOptions defaults;
  TextTable table{{"what", "found"}, {}};
  for (const auto& [name, version] : versions()) table.rows.push_back({product(name), version});
  table.rows.push_back({"commit", git_commit() + (git_dirty() == "true" ? " (changed)" : "")});
  table.rows.push_back({"host", machine.host});
  table.rows.push_back({"system", machine.system});
  table.rows.push_back({"CPU", machine.cpu});
  table.rows.push_back({"threads", std::to_string(set_threads(0))});
  table.rows.push_back({"instruction sets", joined(machine.instruction_sets)});
  table.rows.push_back({"Torch's kernels", at::get_cpu_capability()});
  table.rows.push_back({"memory", gibibytes(machine.memory)});
  table.rows.push_back({"huge pages", machine.huge_pages.empty() ? "unknown" : machine.huge_pages});
  add_gpu(table);
  add_data_sets(table, defaults.data());
  table.rows.push_back({"results folder", defaults.results().string()});
  table.rows.push_back({"free disk there", gibibytes(free_disk(defaults.results()))});
  if (measure)
    table.rows.push_back(
        {"fp32 matrix product", fmt::format("{:.0f} GFLOP/s (2048 x 2048)", matrix_product_rate() / 1e9)});
  print_output(render(table, "text"));
  return 0;
}

}  // namespace attnlab
