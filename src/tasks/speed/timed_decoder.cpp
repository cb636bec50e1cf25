#include "tasks/speed/timed_decoder.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <set>

namespace attnlab {

void TimedDecoder::visit(Fields& f) {
  f("model", model, OneOf{},
    "folder with config.json and *.safetensors as on Hugging Face, or the folder of a run that trained one; "
    "empty: random weights of the sizes below");
  f("sizes", sizes, "of a model with random weights; no effect where model names one");
  f("precision", precision, weight_types,
    "type of weights and activations; saved: as in the folder, fp32 for random weights");
  f.require(!random() || sizes.vocabulary > 0, "sizes",
            "needs a vocabulary of at least one token where no model is named");
}

Decoder TimedDecoder::open(torch::Device device) const {
  const auto type = type_of(precision);
  if (!random()) return load_hf_folder(model_folder(model), {.type = type, .device = device}).decoder;
  return Decoder(sizes, torch::TensorOptions().dtype(type.value_or(torch::kFloat)).device(device));
}

std::vector<Input> TimedDecoder::inputs() const {
  if (random()) return {};
  return {model_input(model)};
}

std::string with_threads(const std::string& figure, int64_t threads) {
  if (threads == 0) return figure;
  return fmt::format("{}_{}_thread{}", figure, threads, threads == 1 ? "" : "s");
}

void visit_thread_counts(Fields& f, std::vector<int64_t>& thread_counts) {
  f("thread_counts", thread_counts, Range{0, 4096},
    "numbers of CPU threads to measure with, one after the other; 0: the run's `threads`");
  const std::set<int64_t> distinct(thread_counts.begin(), thread_counts.end());
  f.require(!distinct.empty() && distinct.size() == thread_counts.size(), "thread_counts",
            "must name at least one number of threads, and none twice");
}

void for_thread_counts(const std::vector<int64_t>& thread_counts, const std::function<void(int64_t)>& body) {
  const int before = at::get_num_threads();
  for (const int64_t threads : thread_counts) {
    at::set_num_threads(threads == 0 ? before : static_cast<int>(threads));
    body(threads);
  }
  at::set_num_threads(before);
}

}  // namespace attnlab
