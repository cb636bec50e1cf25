// A task: the only place where a protocol of a paper is spelled out.
#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/options.h"
#include "core/record.h"
#include "data/sequences.h"

namespace attnlab {

/// What the run gives to its task.
struct RunContext {
  std::filesystem::path folder;  ///< the run's own: checkpoint/ lives here
  DataPlace data;
  uint64_t seed = 1;
  torch::Device device = torch::kCPU;
  int64_t limit = 0;  ///< evaluate on the first N examples; 0: all
  std::filesystem::path
      init_from;  ///< run folder or safetensors file whose weights to start from; empty: none
};

/// Something outside its options that a run's figures rest on: weights, texts, a tokenizer.
struct Input {
  std::string name;   ///< "model"; the record's attribute <name>_checksum says what it was
  std::string place;  ///< the file or folder, for messages
  std::string key;    ///< equal keys: the same input, whose checksum need be made only once
  std::function<std::string()> checksum;  ///< of what is there now; throws where it cannot be read
};

/// The figure that a headline announces.
inline Summary summary_of(const Headline& h, double value, int64_t n,
                          double standard_error = Summary::unknown) {
  return {h.name, value, h.unit, h.meaning, h.better, n, standard_error, h.floor_of, h.row};
}

/// Writes the figures that headlines announce, value by value.
inline void summarise_all(RecordSink& record, std::span<const Headline> figures,
                          std::span<const double> values, int64_t n) {
  for (std::size_t i = 0; i < figures.size(); ++i) record.summarise(summary_of(figures[i], values[i], n));
}

struct TaskOptions : Component {
  virtual std::vector<Table> tables() const = 0;
  virtual std::vector<Headline> headlines() const = 0;
  /// Whether the task trains nothing and evaluates the weights of init_from, which it therefore needs.
  virtual bool only_evaluates() const { return false; }
  /// Whether several processes may do the run together (train/ranks.h): `run` trains by `train` alone, whose
  /// micro-batches draw by themselves, and before it writes nothing into the folder.
  virtual bool shares_training() const { return false; }
  /// Floating-point operations of the whole run, roughly, by which a sweep starts its longest runs first. 0:
  /// unknown.
  virtual double work() const { return 0; }
  /// Bytes that the run needs, roughly: of the GPU where it computes there, else of main memory. A sweep
  /// leaves out what cannot fit. 0: unknown.
  virtual int64_t memory(torch::DeviceType /*device*/) const { return 0; }
  /// What `run` will read beside its options, and records the checksums of. By them a finished run finds that
  /// it is no longer what the same command would give. What is generated from options is no input.
  virtual std::vector<Input> inputs(const RunContext& /*context*/) const { return {}; }
  /// Does everything, from data to summary. Resumes where context.folder holds a checkpoint.
  virtual void run(const RunContext& context, RecordSink& record) const = 0;
  /// Reads one input a line, writes one JSON object a line, which has an "error" where the line could not be
  /// answered. Returns how many have. The default says that the task has no predictions.
  virtual int64_t predict(const RunContext& context, std::istream& in, std::ostream& out) const;
};

template <>
const std::vector<Entry<TaskOptions>>& registry<TaskOptions>();

}  // namespace attnlab
