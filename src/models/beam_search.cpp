#include "models/beam_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/random.h"
#include "kernels/top_tokens.h"

namespace attnlab {
namespace {

struct OpenText {
  int64_t from = 0;  ///< which of the sentence's texts it was a step ago
  std::vector<int64_t> ids;
  double sum = 0;
};

/// A text one token longer.
struct Extension {
  int64_t text, id;
  double sum;
};

/// What a step read, on the CPU: row `first_row + i` of everything belongs to a sentence's text i.
struct Reading {
  int64_t token;       ///< tokens that every open text has
  TopTokens top;       ///< 2·beam of each row
  Tensor end_log_p_R;  ///< log p of the end
  Tensor logits_RV;    ///< fp32, where tokens are drawn; what must not be drawn is −inf
};

/// One sentence on its way.
class Sentence {
 public:
  Sentence(const BeamOptions& options, const SearchSymbols& symbols, int64_t index, int64_t limit,
           uint64_t seed)
      : options_(&options), symbols_(symbols), index_(index), limit_(limit), random_(seed), texts_(1) {}

  void advance(const Reading& reading, int64_t first_row);
  bool is_done() const;
  const std::vector<OpenText>& texts() const { return texts_; }
  int64_t index() const { return index_; }
  std::vector<Hypothesis> best() const;

 private:
  std::vector<Extension> ends(const Reading& reading, int64_t first_row) const;
  std::vector<Extension> most_probable(const Reading& reading, int64_t first_row) const;
  std::vector<Extension> drawn(const Reading& reading, int64_t first_row);
  void finish(const Extension& end, bool by_itself);

  const BeamOptions* options_;
  SearchSymbols symbols_;
  int64_t index_, limit_;
  Random random_;
  std::vector<OpenText> texts_;       ///< most probable first
  std::vector<Hypothesis> finished_;  ///< best first
};

std::vector<Extension> Sentence::ends(const Reading& reading, int64_t first_row) const {
  const double* log_p = reading.end_log_p_R.const_data_ptr<double>() + first_row;
  std::vector<Extension> all;
  for (std::size_t i = 0; i < texts_.size(); ++i)
    if (std::isfinite(log_p[i]))
      all.push_back({static_cast<int64_t>(i), symbols_.end, texts_[i].sum + std::min(0.0, log_p[i])});
  return all;
}

std::vector<Extension> Sentence::most_probable(const Reading& reading, int64_t first_row) const {
  const int64_t count = reading.top.ids_RC.size(1);
  const double* log_p = reading.top.log_p_RC.const_data_ptr<double>() + first_row * count;
  const int64_t* ids = reading.top.ids_RC.const_data_ptr<int64_t>() + first_row * count;
  std::vector<Extension> all;
  for (std::size_t i = 0; i < texts_.size(); ++i, log_p += count, ids += count)
    for (int64_t c = 0; c < count && ids[c] >= 0; ++c)
      all.push_back({static_cast<int64_t>(i), ids[c], texts_[i].sum + log_p[c]});
  return all;
}

std::vector<Extension> Sentence::drawn(const Reading& reading, int64_t first_row) {
  const double log_sum = reading.top.log_sums_R.const_data_ptr<double>()[first_row];
  if (!std::isfinite(log_sum)) return {};
  const auto size = static_cast<std::size_t>(reading.logits_RV.size(1));
  const std::span logits(reading.logits_RV.const_data_ptr<float>() + first_row * reading.logits_RV.size(1),
                         size);
  const int64_t id = choose_token(logits, options_->sampling, random_.uniform());
  const double log_p = static_cast<double>(logits[static_cast<std::size_t>(id)]) - log_sum;
  if (!std::isfinite(log_p)) return {};
  return {{0, id, texts_.front().sum + std::min(0.0, log_p)}};
}

void Sentence::finish(const Extension& end, bool by_itself) {
  const bool is_full = static_cast<int64_t>(finished_.size()) >= options_->beam;
  if (options_->stop == BeamOptions::Stop::fairseq && is_full) return;
  const std::vector<int64_t>& ids = texts_[static_cast<std::size_t>(end.text)].ids;
  const double score = options_->score(end.sum, static_cast<int64_t>(ids.size()) + 1);
  const auto behind = std::upper_bound(finished_.begin(), finished_.end(), score,
                                       [](double s, const Hypothesis& h) { return s > h.score; });
  finished_.insert(behind, {ids, end.sum, score, by_itself});
}

void Sentence::advance(const Reading& reading, int64_t first_row) {
  const bool at_limit = reading.token >= limit_;
  const bool draws = options_->sampling.temperature > 0;
  std::vector<Extension> all = at_limit ? ends(reading, first_row)
                               : draws  ? drawn(reading, first_row)
                                        : most_probable(reading, first_row);
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.sum > b.sum; });
  const auto beam = static_cast<std::size_t>(options_->beam);
  all.resize(std::min(all.size(), 2 * beam));
  std::vector<OpenText> open;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Extension& e = all[i];
    if (e.id == symbols_.end) {
      if (i < beam) finish(e, !at_limit);
    } else if (open.size() < beam) {
      open.push_back({e.text, texts_[static_cast<std::size_t>(e.text)].ids, e.sum});
      open.back().ids.push_back(e.id);
    }
  }
  texts_ = std::move(open);
}

/// Every token adds 0 at most to Σ log p and the penalty is monotone in the length, so an open text ends with
/// no better score than it would have now at its shortest or its longest.
bool Sentence::is_done() const {
  if (texts_.empty()) return true;
  if (options_->stop == BeamOptions::Stop::fairseq || options_->beam == 1)
    return static_cast<int64_t>(finished_.size()) >= options_->beam;
  const auto n = static_cast<std::size_t>(options_->n_best);
  if (finished_.size() < n) return false;
  const OpenText& top = texts_.front();
  const double bound = std::max(options_->score(top.sum, static_cast<int64_t>(top.ids.size()) + 1),
                                options_->score(top.sum, limit_ + 1));
  return bound <= finished_[n - 1].score;
}

std::vector<Hypothesis> Sentence::best() const {
  if (finished_.empty())
    run_error(
        "the model gives no text for sentence {} of the batch a probability: its logits are NaN or -inf",
        index_ + 1);
  const auto n = std::min(finished_.size(), static_cast<std::size_t>(options_->n_best));
  return {finished_.begin(), finished_.begin() + static_cast<std::ptrdiff_t>(n)};
}

/// The last token of every text; a place in a beam that no text holds reads the end.
Tensor last_tokens(const std::vector<Sentence>& going, int64_t beam, const SearchSymbols& symbols) {
  std::vector<int64_t> ids;
  for (const Sentence& sentence : going)
    for (std::size_t i = 0; i < static_cast<std::size_t>(beam); ++i) {
      const bool is_held = i < sentence.texts().size();
      const bool is_new = is_held && sentence.texts()[i].ids.empty();
      ids.push_back(is_new ? symbols.start : is_held ? sentence.texts()[i].ids.back() : symbols.end);
    }
  return torch::tensor(ids, torch::kLong);
}

Reading reading_of(const Tensor& logits_RV, int64_t token, const SearchSymbols& symbols,
                   const BeamOptions& options) {
  std::vector<int64_t> never;
  if (symbols.padding >= 0) never.push_back(symbols.padding);
  if (token < options.min_length) never.push_back(symbols.end);
  Reading reading{token, top_tokens(logits_RV, 2 * options.beam, never), {}, {}};
  const Tensor ends_R = logits_RV.select(1, symbols.end).cpu().to(torch::kDouble);
  reading.end_log_p_R = (ends_R - reading.top.log_sums_R).contiguous();
  if (options.sampling.temperature > 0) {
    reading.logits_RV = logits_RV.cpu().to(torch::kFloat).clone(at::MemoryFormat::Contiguous);
    for (const int64_t id : never)
      reading.logits_RV.select(1, id).fill_(-std::numeric_limits<double>::infinity());
  }
  return reading;
}

/// Where each text that goes on stood a step ago, in rows of the scorer, sentences that are done left out.
class Selection {
 public:
  Selection(int64_t beam, int64_t beam_before) : beam_(beam), beam_before_(beam_before) {}
  void keep(const Sentence& sentence, int64_t first_row) {
    const std::vector<OpenText>& texts = sentence.texts();
    for (std::size_t i = 0; i < static_cast<std::size_t>(beam_); ++i)
      rows_.push_back(first_row + texts[i < texts.size() ? i : 0].from);
  }
  void tell(NextTokenScorer& scorer, int64_t rows_before) const {
    const auto size = static_cast<int64_t>(rows_.size());
    bool is_same = beam_ == beam_before_ && size == rows_before;
    for (int64_t i = 0; i < size && is_same; ++i) is_same = rows_[static_cast<std::size_t>(i)] == i;
    if (!is_same) scorer.select(torch::tensor(rows_, torch::kLong), beam_);
  }

 private:
  int64_t beam_, beam_before_;
  std::vector<int64_t> rows_;
};

std::vector<Sentence> sentences_of(const SearchBatch& batch, const BeamOptions& options) {
  ensure(options.sampling.temperature == 0 ||
             (options.beam == 1 && batch.seeds.size() == batch.source_lengths.size()),
         "a seed for each sentence, and one text, where tokens are drawn");
  std::vector<Sentence> all;
  for (std::size_t i = 0; i < batch.source_lengths.size(); ++i)
    all.emplace_back(options, batch.symbols, static_cast<int64_t>(i), options.limit(batch.source_lengths[i]),
                     i < batch.seeds.size() ? batch.seeds[i] : 0);
  return all;
}

}  // namespace

std::vector<std::vector<Hypothesis>> beam_search(NextTokenScorer& scorer, const SearchBatch& batch,
                                                 const BeamOptions& options) {
  const torch::NoGradGuard no_grad;
  std::vector<std::vector<Hypothesis>> found(batch.source_lengths.size());
  std::vector<Sentence> going = sentences_of(batch, options);
  for (int64_t token = 0, beam = 1; !going.empty(); ++token, beam = options.beam) {
    if (batch.each_step) batch.each_step();
    const auto rows = static_cast<int64_t>(going.size()) * beam;
    const Tensor logits_RV = scorer.read(last_tokens(going, beam, batch.symbols));
    ensure(logits_RV.dim() == 2 && logits_RV.size(0) == rows, "logits of {} texts", rows);
    const Reading reading = reading_of(logits_RV, token, batch.symbols, options);
    Selection selection(options.beam, beam);
    std::vector<Sentence> left;
    for (std::size_t i = 0; i < going.size(); ++i) {
      const int64_t first_row = static_cast<int64_t>(i) * beam;
      going[i].advance(reading, first_row);
      if (going[i].is_done()) {
        found[static_cast<std::size_t>(going[i].index())] = going[i].best();
      } else {
        selection.keep(going[i], first_row);
        left.push_back(std::move(going[i]));
      }
    }
    going = std::move(left);
    if (!going.empty()) selection.tell(scorer, rows);
  }
  return found;
}

}  // namespace attnlab
