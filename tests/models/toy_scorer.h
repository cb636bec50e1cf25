// A model for a search to be tried on: what follows a text is drawn anew for every text of every sentence, so
// that no two have the same future.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "core/random.h"
#include "models/next_token_scorer.h"

namespace attnlab {

using Ids = std::vector<int64_t>;

struct ToyModel {
  uint64_t seed = 0;
  int64_t vocabulary = 5;
  double spread = 2.0;     ///< logits are uniform in ± this
  double end_bonus = 0.0;  ///< added to the end's, symbol 0

  std::vector<float> logits(const Ids& text) const {
    uint64_t key = seed;
    for (const int64_t id : text) key = derive_seed(key, "token", static_cast<uint64_t>(id));
    Random random(key);
    std::vector<float> all;
    for (int64_t v = 0; v < vocabulary; ++v)
      all.push_back(static_cast<float>(spread * (2 * random.uniform() - 1) + (v == 0 ? end_bonus : 0)));
    return all;
  }
};

inline std::vector<double> log_probabilities(const std::vector<float>& logits) {
  double sum = 0;
  for (const float x : logits) sum += std::exp(static_cast<double>(x));
  std::vector<double> all;
  for (const float x : logits) all.push_back(static_cast<double>(x) - std::log(sum));
  return all;
}

/// Sentences of a toy model each. Keeps what it was asked, and refuses what no scorer could do.
class ToyScorer final : public NextTokenScorer {
 public:
  using Change = std::function<void(const Ids& text, std::vector<float>& logits)>;
  explicit ToyScorer(std::vector<ToyModel> models, Change change = {})
      : models_(std::move(models)), change_(std::move(change)) {
    for (const ToyModel& model : models_) texts_.push_back({&model, {}});
  }

  torch::Tensor read(const torch::Tensor& ids_R) override {
    TORCH_CHECK(ids_R.numel() == static_cast<int64_t>(texts_.size()), "an id for each text");
    rows_read.push_back(ids_R.numel());
    std::vector<torch::Tensor> rows;
    for (std::size_t r = 0; r < texts_.size(); ++r) {
      if (rows_read.size() > 1) texts_[r].ids.push_back(ids_R[static_cast<int64_t>(r)].item<int64_t>());
      std::vector<float> logits = texts_[r].model->logits(texts_[r].ids);
      if (change_) change_(texts_[r].ids, logits);
      rows.push_back(torch::tensor(logits));
    }
    return torch::stack(rows);
  }

  void select(const torch::Tensor& rows_R, int64_t beam) override {
    TORCH_CHECK(rows_R.numel() % beam == 0, "beam texts a sentence");
    std::vector<Text> next;
    for (int64_t i = 0; i < rows_R.numel(); ++i) {
      next.push_back(texts_.at(static_cast<std::size_t>(rows_R[i].item<int64_t>())));
      TORCH_CHECK(next.back().model == next[static_cast<std::size_t>(i / beam * beam)].model,
                  "texts side by side are one sentence's");
    }
    texts_ = std::move(next);
  }

  Ids rows_read;

 private:
  struct Text {
    const ToyModel* model;
    Ids ids;
  };
  std::vector<ToyModel> models_;
  Change change_;
  std::vector<Text> texts_;
};

}  // namespace attnlab
