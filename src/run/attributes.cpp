#include "run/attributes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "run/device.h"
#include "run/gpu.h"
#include "run/machine.h"
#include "run/version.h"

namespace attnlab {
namespace {

bool plain(const std::string& word) {
  constexpr const char* safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/@%";
  return !word.empty() && word.find_first_not_of(safe) == std::string::npos;
}

std::string quoted(const std::string& word) {
  if (plain(word)) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

std::string a_line_each(const std::vector<std::string>& sentences) {
  return fmt::format("{}", fmt::join(sentences, "\n"));
}

}  // namespace

std::string shell_line(const std::vector<std::string>& words) {
  std::string line;
  for (const auto& word : words) {
    if (!line.empty()) line += ' ';
    line += quoted(word);
  }
  return line;
}

void write_attributes(RecordSink& record, const PlannedRun& run, const std::vector<std::string>& argv,
                      torch::Device device, int threads) {
  record.attribute("experiment", run.experiment);
  record.attribute("description", run.description);
  record.attribute("departures", a_line_each(run.departures));
  record.attribute("run_id", run.id);
  record.attribute("case", run.name);
  record.attribute("label", run.row);
  record.attribute("published", run.published);
  record.attribute("compare", run.compare);
  record.attribute("config", run.yaml);
  record.attribute("argv", shell_line(argv));
  record.attribute("seed", run.options.seed);
  record.attribute("limit", run.options.limit);
  record.attribute("git_commit", git_commit());
  record.attribute("git_dirty", git_dirty());
  record.attribute("git_changed", git_changed());
  record.attribute("git_untracked", git_untracked());
  for (const auto& [name, version] : versions()) record.attribute(name, version);
  const Machine machine = this_machine();
  record.attribute("host", machine.host);
  record.attribute("system", machine.system);
  record.attribute("cpu", machine.cpu);
  record.attribute("cpu_clock", machine.clock);
  record.attribute("memory", machine.memory);
  record.attribute("huge_pages", machine.huge_pages);
  record.attribute("gpu", gpu_name());
  record.attribute("gpu_state", device.is_cuda() ? gpu_state().words() : "");
  record.attribute("cuda", cuda_words(device));
  record.attribute("device", device.str());
  record.attribute("threads", static_cast<int64_t>(threads));
}

}  // namespace attnlab
