#include "tasks/language/chunk_scorer.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "core/error.h"
#include "core/log.h"
#include "core/stop.h"
#include "tasks/language/token_nll.h"

namespace attnlab {
namespace {

/// Behind the first slice states of a GPU take token by token, and full ones need masks.
void tell_of_slices(int64_t tokens, int64_t slice) {
  static const bool told =
      (log_info("warning: texts of {} tokens are read in slices of {}, which is slow on a GPU: raise "
                "`slice` where memory allows",
                tokens, slice),
       true);
  static_cast<void>(told);
}

struct Rows {
  torch::Tensor ids_BT, padding_BT;
  int64_t shortest = 0;  ///< columns without padding

  /// Of columns [begin, end): undefined where there is none.
  torch::Tensor padding(int64_t begin, int64_t end) const {
    return end > shortest ? padding_BT.slice(1, begin, end) : torch::Tensor();
  }
};

Rows rows_of(std::span<const std::vector<int64_t>> chunks, torch::Device device) {
  const auto longest = std::ranges::max(chunks, {}, &std::vector<int64_t>::size).size();
  const auto b = static_cast<int64_t>(chunks.size()), t = static_cast<int64_t>(longest);
  const torch::Tensor ids_BT = torch::zeros({b, t}, torch::kLong);
  const torch::Tensor padding_BT = torch::zeros({b, t}, torch::kBool);
  int64_t shortest = t;
  for (int64_t i = 0; i < b; ++i) {
    const auto& chunk = chunks[static_cast<std::size_t>(i)];
    std::copy(chunk.begin(), chunk.end(), ids_BT[i].mutable_data_ptr<int64_t>());
    const auto n = static_cast<int64_t>(chunk.size());
    shortest = std::min(shortest, n);
    padding_BT[i].slice(0, n, t).fill_(true);
  }
  return {ids_BT.to(device), padding_BT.to(device), shortest};
}

}  // namespace

int64_t slice_length(int64_t slice, torch::Device device) {
  return slice > 0 ? slice : device.is_cuda() ? std::numeric_limits<int64_t>::max() / 2 : 8192;
}

ChunkScorer::ChunkScorer(Decoder decoder, CacheOptions cache, std::vector<int64_t> protected_ids,
                         int64_t slice, uint64_t seed, bool timed)
    : decoder_(std::move(decoder)),
      cache_(std::move(cache)),
      protected_ids_(std::move(protected_ids)),
      slice_(slice),
      seed_(seed),
      timed_(timed) {}

int64_t ChunkScorer::tokens_at_a_time() const {
  return cache_.policy->needs().surprisal ? 1 : slice_length(slice_, decoder_->tensors().device());
}

ScoredBatch ChunkScorer::score(std::span<const std::vector<int64_t>> chunks, bool with_expiry) {
  ensure(!chunks.empty(), "at least one chunk");
  const torch::InferenceMode inference;
  const torch::TensorOptions tensors = decoder_->activations();
  const Rows rows = rows_of(chunks, tensors.device());
  const int64_t b = rows.ids_BT.size(0), t = rows.ids_BT.size(1);
  const torch::Tensor positions_BT = torch::arange(t, rows.ids_BT.options()).expand({b, t});
  DecoderState states = make_states(cache_, state_shape(decoder_->options()),
                                    {.batch = b,
                                     .dtype = tensors.dtype().toScalarType(),
                                     .device = tensors.device(),
                                     .seed = seed_,
                                     .protected_ids = protected_ids_,
                                     .record_expiry = with_expiry,
                                     .expected = t,
                                     .timed = timed_});
  const auto started =
      std::chrono::steady_clock::now();  // the first states of a kind are checked when they are made
  const int64_t slice = tokens_at_a_time();
  if (tensors.device().is_cuda() && slice > 1 && t > slice) tell_of_slices(t, slice);
  const bool surprised = cache_.policy->needs().surprisal;
  torch::Tensor surprisal_BT;
  if (surprised) surprisal_BT = torch::zeros({b, 1}, torch::TensorOptions().device(tensors.device()));

  std::vector<torch::Tensor> nll;
  for (int64_t begin = 0; begin < t; begin += slice) {
    stop_here_if_requested();
    const int64_t end = std::min(begin + slice, t);
    const torch::Tensor hidden_BTD =
        decoder_->forward(rows.ids_BT.slice(1, begin, end), positions_BT.slice(1, begin, end),
                          rows.padding(begin, end), states, surprisal_BT, /*prompt_goes_on=*/end < t);
    const int64_t scored = std::min(end, t - 1) - begin;  // nothing follows the last token
    if (scored <= 0) continue;
    nll.push_back(token_nll(decoder_, hidden_BTD.slice(1, 0, scored).flatten(0, 1),
                            rows.ids_BT.slice(1, begin + 1, begin + 1 + scored).flatten())
                      .view({b, scored}));
    if (surprised) surprisal_BT = nll.back();
  }

  ScoredBatch batch;
  const torch::Tensor nll_BT =
      nll.empty() ? torch::zeros({b, 0}, torch::kDouble) : torch::cat(nll, 1).to(torch::kCPU, torch::kDouble);
  batch.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  std::vector<torch::Tensor> expiry;
  for (const auto& state : states) {
    batch.cache_bytes += state->bytes() / b;
    if (with_expiry) expiry.push_back(state->expiry());
  }
  for (int64_t i = 0; i < b; ++i) {
    const auto n = static_cast<int64_t>(chunks[static_cast<std::size_t>(i)].size());
    const torch::Tensor row = nll_BT[i].contiguous();
    ScoredChunk& chunk = batch.chunks.emplace_back();
    chunk.nll.assign(row.const_data_ptr<double>(), row.const_data_ptr<double>() + n - 1);
    for (const torch::Tensor& of_layer : expiry)
      chunk.expiry.push_back(of_layer.defined() ? of_layer[i].slice(1, 0, n) : of_layer);
  }
  return batch;
}

}  // namespace attnlab
