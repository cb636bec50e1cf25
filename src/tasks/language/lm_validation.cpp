#include "tasks/language/lm_validation.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <vector>

#include "core/stop.h"
#include "metrics/perplexity.h"
#include "metrics/statistics.h"
#include "tasks/language/learned_tokens.h"
#include "tasks/language/packed_chunks.h"

namespace attnlab {
namespace {

/// Of consecutive chunks.
struct ChunkLosses {
  std::vector<double> nll;  ///< mean of each
  int64_t tokens = 0;
  double nll_sum = 0, missed_sum = 0;  ///< over tokens

  void add(const HeldOutLoss& loss, int64_t count) {
    nll.push_back(loss.nll);
    tokens += count;
    nll_sum += loss.nll * static_cast<double>(count);
    missed_sum += loss.reconstruction * static_cast<double>(count);
  }
};

/// Tokens [first, end) predicted, in chunks of the context, of which the last may be shorter.
ChunkLosses read_chunks(const LmLosses& losses, const TokenCorpus& corpus, int64_t first, int64_t end,
                        int64_t context, std::optional<int64_t> bos, torch::Device device) {
  ChunkLosses read;
  for (; first < end; first += context) {
    stop_here_if_requested();
    const int64_t count = std::min(context, end - first);
    const LearnedTokens chunk = all_learned({chunk_of(corpus, first, count, bos)});
    read.add(losses.validation(chunk.to(device)), count);
  }
  return read;
}

/// Beside the perplexity, where a policy drops something.
std::vector<ValidationFigure> missed_figures(const TrainLmOptions& options, double missed_sum,
                                             int64_t tokens) {
  if (!options.train.policy.active()) return {};
  return {{reconstruction_figure().name, missed_sum / static_cast<double>(tokens)}};
}

/// exp of the mean NLL over the first `validation_tokens` tokens of every document, each read by itself; the
/// standard error is over documents.
Validation validate_by_document(const LmLosses& losses, const TokenCorpus& corpus,
                                const TrainLmOptions& options, std::optional<int64_t> bos,
                                torch::Device device) {
  std::vector<DocumentScore> scores;
  int64_t tokens = 0;
  double missed_sum = 0;
  for (int64_t d = 0; d < corpus.documents(); ++d) {
    const int64_t end = std::min(corpus.end(d) - 1, corpus.begin(d) + options.validation_tokens);
    const ChunkLosses read = read_chunks(losses, corpus, corpus.begin(d), end, options.context, bos, device);
    scores.push_back({.tokens = read.tokens, .nll = read.nll_sum});
    tokens += read.tokens;
    missed_sum += read.missed_sum;
  }
  const DocumentFigure pooled = pooled_perplexity(scores);
  return {pooled.value, pooled.standard_error, std::log(pooled.value), tokens,
          missed_figures(options, missed_sum, tokens)};
}

/// The same over the first tokens of all documents end to end, in whole chunks; the standard error is over
/// chunks, carried through the exponential.
Validation validate_on_text(const LmLosses& losses, const TokenCorpus& corpus, const TrainLmOptions& options,
                            std::optional<int64_t> bos, torch::Device device) {
  if (options.validation_by_document) return validate_by_document(losses, corpus, options, bos, device);
  const int64_t most = std::min(options.validation_tokens, corpus.size() - 1);
  const int64_t whole = most < options.context ? most : most - most % options.context;
  const ChunkLosses read = read_chunks(losses, corpus, 0, whole, options.context, bos, device);
  const Spread loss = spread(read.nll);
  return {std::exp(loss.mean), std::exp(loss.mean) * loss.standard_error, loss.mean, read.tokens,
          missed_figures(options, read.missed_sum, read.tokens)};
}

}  // namespace

TaskValidations validate_tasks(const LmLosses& losses, const HeldOutTasks& held_out,
                               const TrainLmOptions& options, torch::Device device) {
  TaskValidations tasks{validate_on_text(losses, held_out.text, options, held_out.bos, device)};
  if (!held_out.answers) return tasks;
  tasks.answered = score_answers(losses, *held_out.answers, options.mixture.validation_answers, device);
  tasks.answers = validation_of(tasks.answered);
  return tasks;
}

Validation as_one(const TaskValidations& tasks, const MixtureOptions& mixture) {
  if (!tasks.answers) return tasks.text;
  Validation both = validation_of_both(mixture, tasks.text, *tasks.answers);
  std::ranges::copy(tasks.text.figures, std::back_inserter(both.figures));
  return both;
}

}  // namespace attnlab
