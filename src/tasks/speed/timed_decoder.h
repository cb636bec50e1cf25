// The decoder whose speed a task measures: one with random weights of any sizes, or one from a folder.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "models/decoder.h"
#include "tasks/inputs.h"
#include "tasks/model_folder.h"

namespace attnlab {

struct TimedDecoder {
  std::string model;
  DecoderOptions sizes;
  WeightType precision = WeightType::saved;

  /// Its keys stand among the task's own.
  void visit(Fields& f);
  /// Throws UserError where the folder is none, or the sizes contradict each other.
  Decoder open(torch::Device device) const;
  /// The folder, where there is one.
  std::vector<Input> inputs() const;
  /// Whether the weights are random, so that sizes say everything about them.
  bool random() const { return model.empty(); }
  /// Bytes of a number where weights are random.
  int64_t number_bytes() const { return precision == WeightType::bf16 ? 2 : 4; }
};

/// "seconds" → "seconds_2_threads"; as it is where threads is 0, the run's own number.
std::string with_threads(const std::string& figure, int64_t threads);

/// Declares the key `thread_counts`: what to measure with, one after the other.
void visit_thread_counts(Fields& f, std::vector<int64_t>& thread_counts);
/// Calls body(threads) under each number of Torch's threads, and then goes back to the number before.
void for_thread_counts(const std::vector<int64_t>& thread_counts, const std::function<void(int64_t)>& body);

}  // namespace attnlab
