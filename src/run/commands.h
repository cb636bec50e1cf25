// The commands of `attnlab`, one function each. They return the exit status of the process; what they print
// goes to standard output, what they report to standard error.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace attnlab {

/// What most commands name: a configuration with overrides "key.path=value".
struct Target {
  std::filesystem::path config;
  std::vector<std::string> overrides;
};

/// attnlab run: see live().
int run_command(const Target& target, std::optional<int64_t> index, bool fresh,
                const std::vector<std::string>& argv);

struct SweepOptions {
  std::optional<int64_t> index;  ///< only this run
  int64_t jobs = 1;              ///< runs at a time
  bool retry_failed = false;     ///< failed, diverged and out-of-memory runs too
};

/// attnlab sweep: every run that is not done, each in a child process. 0 when all are done in the end, 1 when
/// some failed, 128 + signal when stopped.
int sweep_command(const Target& target, const SweepOptions& options);

/// attnlab list: a line a run.
int list_command(const Target& target);

/// attnlab show: the resolved configuration.
int show_command(const Target& target, std::optional<int64_t> index);

/// attnlab explain: keys, defaults, bounds, meaning of a component, or an overview.
int explain_command(const std::string& component);

/// attnlab table: the experiment's figures, one row a case (seeds together), beside the published ones.
/// format: text, markdown, csv or latex.
int table_command(const Target& target, const std::string& format);

/// attnlab predict: standard input to JSON lines, with the best checkpoint of a run's folder or of the run
/// that a configuration describes.
int predict_command(const Target& target, std::optional<int64_t> index);

/// attnlab doctor: what was found on this machine. measure: also the rate of fp32 matrix products.
int doctor_command(bool measure);

}  // namespace attnlab
