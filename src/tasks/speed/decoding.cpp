#include "tasks/speed/decoding.h"

#include <algorithm>

#include "core/error.h"
#include "core/memory.h"
#include "tasks/speed/step_memory.h"

namespace attnlab {
namespace {

/// Kept free. On the CPU panels of weights that threads lay out where rows are many, and pages of 2 MiB in
/// part; on a GPU what its libraries take beside tensors, and the gaps between those.
int64_t spare_bytes(torch::Device device) { return device.is_cpu() ? 24 << 20 : 1 << 30; }

/// Taken of the budget now, and at most so far.
int64_t taken(torch::Device device, const MemoryBudget& budget) {
  return device.is_cpu() ? resident_bytes() - budget.before : device_bytes(device).held;
}
int64_t most_taken(torch::Device device, const MemoryBudget& budget) {
  return device.is_cpu() ? resident_bytes_peak() - budget.before : device_bytes(device).held_peak;
}

/// What is in use while a step of so many texts runs, at most; the caches' bytes are among it.
struct InUse {
  int64_t heap = 0, for_a_while = 0;
  int64_t all() const { return heap + for_a_while; }
};

InUse step_of(Decoding& decoding, int64_t batch) {
  decoding.fill(batch);
  const torch::Device device = decoding.device();
  const HeldTensors held(device);
  decoding.step();
  const int64_t heap = device.is_cpu() ? heap_bytes() : device_bytes(device).held;
  return {heap, held.peak()};
}

double gibibytes(int64_t bytes) { return static_cast<double>(bytes) / (1 << 30); }

}  // namespace

Decoding::Decoding(Decoder decoder, const CacheOptions& cache, int64_t context, int64_t steps, uint64_t seed)
    : decoder_(std::move(decoder)),
      device_(decoder_->tensors().device()),
      context_(context),
      prompt_tokens_(context - steps),
      position_(prompt_tokens_) {
  const torch::InferenceMode inference;
  decoder_->reserve_positions(context);
  states_ = make_states(cache.of_text(context), state_shape(decoder_->options()),
                        {.batch = 1,
                         .dtype = decoder_->activations().dtype().toScalarType(),
                         .device = device_,
                         .seed = seed,
                         .record_expiry = false,
                         .expected = context,
                         .timed = true});
  const torch::Tensor prompt_1T = ids(1, prompt_tokens_);
  decoder_->forward(prompt_1T, torch::arange(prompt_tokens_, prompt_1T.options()).unsqueeze(0), {}, states_);
}

void Decoding::fill(int64_t batch) {
  const torch::InferenceMode inference;
  const torch::Tensor first_B = torch::zeros({batch}, torch::kLong);
  release_freed_pages();  // of what reading took
  for (auto& state : states_) {
    state->reorder(first_B);
    release_freed_pages();
  }
  next_NB1_ = ids(context_ - position_, batch).unsqueeze(-1);
  read_ = 0;
}

void Decoding::step() {
  const torch::InferenceMode inference;
  const torch::Tensor ids_B1 = next_NB1_[read_++];
  const torch::Tensor hidden_B1D =
      decoder_->forward(ids_B1, torch::full_like(ids_B1, position_++), {}, states_);
  decoder_->logits(hidden_B1D.select(1, 0));
}

torch::Tensor Decoding::ids(int64_t rows, int64_t columns) const {
  return torch::randint(decoder_->options().vocabulary, {rows, columns}, torch::kLong).to(device_);
}

int64_t texts_that_fit(Decoding& decoding, const MemoryBudget& budget) {
  const torch::Device device = decoding.device();
  const int64_t reading = most_taken(device, budget);
  const InUse one = step_of(decoding, 1);
  // Weights may be pages of a file, and the heap has holes: what one text takes in all, pages alone can say.
  // Filling holds two texts of a layer beside all others.
  const int64_t filling = 2 * decoding.cache_bytes() / decoding.layers();
  const int64_t with_one = taken(device, budget) + std::max(one.for_a_while, filling) + spare_bytes(device);
  if (std::max(reading, with_one) > budget.bytes)
    user_error(
        "memory_budget of {:.2f} GiB does not hold one text: the weights, its cache and what reading it "
        "takes are {:.2f} GiB",
        gibibytes(budget.bytes), gibibytes(std::max(reading, with_one)));
  const int64_t left = budget.bytes - with_one;
  if (left < decoding.cache_bytes()) return 1;
  const auto fit = [&](int64_t batch) {
    const int64_t a_text = (step_of(decoding, batch).all() - one.all()) / (batch - 1);
    return 1 + left / std::max<int64_t>(1, a_text);
  };
  // Kernels for few rows hold other things than those for many: where many fit, a text is weighed among more
  // than one other, yet so few that what they leave behind in the heap is small.
  const int64_t texts = fit(2);
  return texts < 32 ? texts : fit(texts / 16);
}

}  // namespace attnlab
