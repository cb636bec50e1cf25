#include "tasks/language/lm_validation.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <vector>

#include "core/stop.h"
#include "metrics/perplexity.h"
#include "tasks/language/learned_tokens.h"
#include "tasks/language/packed_chunks.h"

namespace attnlab {
namespace {

HeldOutLoss chunk_loss(const LmLosses& losses, std::vector<int64_t> ids, torch::Device device) {
  return losses.validation(all_learned({std::move(ids)}).to(device));
}

/// Beside the perplexity, where a policy drops something.
std::vector<ValidationFigure> further_figures(const TrainLmOptions& options, double reconstruction) {
  if (!options.train.policy.active()) return {};
  return {{reconstruction_figure().name, reconstruction}};
}

/// The same over the first tokens of every document, each read by itself; the standard error is over
/// documents.
Validation validate_by_document(const LmLosses& losses, const TokenCorpus& corpus,
                                const TrainLmOptions& options, std::optional<int64_t> bos,
                                torch::Device device) {
  std::vector<DocumentScore> scores;
  int64_t read = 0;
  double missed = 0;
  for (int64_t d = 0; d < corpus.documents(); ++d) {
    const int64_t end = std::min(corpus.end(d) - 1, corpus.begin(d) + options.validation_tokens);
    DocumentScore score;
    for (int64_t first = corpus.begin(d); first < end; first += options.context) {
      stop_here_if_requested();
      const int64_t count = std::min(options.context, end - first);
      const HeldOutLoss loss = chunk_loss(losses, chunk_of(corpus, first, count, bos), device);
      score.nll += loss.nll * static_cast<double>(count);
      score.tokens += count;
      missed += loss.reconstruction * static_cast<double>(count);
    }
    read += score.tokens;
    scores.push_back(score);
  }
  const DocumentFigure pooled = pooled_perplexity(scores);
  return {pooled.value, pooled.standard_error, std::log(pooled.value), read,
          further_figures(options, missed / static_cast<double>(read))};
}

/// exp of the mean NLL over the first `validation_tokens` tokens; the standard error is that of the mean over
/// chunks, carried through the exponential.
Validation validate_on_text(const LmLosses& losses, const TokenCorpus& corpus, const TrainLmOptions& options,
                            std::optional<int64_t> bos, torch::Device device) {
  if (options.validation_by_document) return validate_by_document(losses, corpus, options, bos, device);
  const int64_t tokens = std::min(options.validation_tokens, corpus.size() - 1);
  const int64_t chunks = std::max<int64_t>(1, tokens / options.context);
  std::vector<double> of_chunks;
  int64_t read = 0;
  double missed = 0;
  for (int64_t i = 0; i < chunks; ++i) {
    stop_here_if_requested();
    const int64_t first = i * options.context, count = std::min(options.context, corpus.size() - 1 - first);
    const HeldOutLoss loss = chunk_loss(losses, chunk_of(corpus, first, count, bos), device);
    of_chunks.push_back(loss.nll);
    missed += loss.reconstruction;
    read += count;
  }
  const auto n = static_cast<double>(of_chunks.size());
  const double mean = std::accumulate(of_chunks.begin(), of_chunks.end(), 0.0) / n;
  double squares = 0;
  for (const double loss : of_chunks) squares += (loss - mean) * (loss - mean);
  const double error = n > 1 ? std::sqrt(squares / (n - 1) / n) : NAN;
  return {std::exp(mean), std::exp(mean) * error, mean, read, further_figures(options, missed / n)};
}

}  // namespace

TaskValidations validate_tasks(const LmLosses& losses, const HeldOutTasks& held_out,
                               const TrainLmOptions& options, torch::Device device) {
  TaskValidations tasks{validate_on_text(losses, held_out.text, options, held_out.bos, device)};
  if (held_out.answers)
    tasks.answers =
        validate_on_answers(losses, *held_out.answers, options.mixture.validation_answers, device);
  return tasks;
}

Validation as_one(const TaskValidations& tasks, const MixtureOptions& mixture) {
  if (!tasks.answers) return tasks.text;
  Validation both = validation_of_both(mixture, tasks.text, *tasks.answers);
  std::ranges::copy(tasks.text.figures, std::back_inserter(both.figures));
  return both;
}

}  // namespace attnlab
