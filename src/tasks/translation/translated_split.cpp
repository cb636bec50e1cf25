#include "tasks/translation/translated_split.h"

#include <algorithm>
#include <chrono>
#include <numeric>

#include "core/error.h"
#include "core/random.h"
#include "tasks/translation/translations.h"

namespace attnlab {
namespace {

using Sentences = std::vector<std::vector<int64_t>>;

struct SentencesOfSplit {
  Sentences sources, targets;
};

int64_t count_of(const SentencePairs& pairs, int64_t limit) {
  return limit > 0 ? std::min(limit, pairs.size()) : pairs.size();
}

void refuse_longer(const SentencePairs& pairs, const SplitFiles& files, int64_t limit, int64_t positions) {
  const auto refuse = [&](int64_t i, int64_t tokens, const std::string& file) {
    if (tokens > positions)
      user_error("{}: sentence {} has {} tokens, and the model's batching.max_positions is {}", file, i + 1,
                 tokens, positions);
  };
  for (int64_t i = 0; i < count_of(pairs, limit); ++i) {
    refuse(i, pairs.source_length(i), files.source);
    refuse(i, pairs.target_length(i), files.target);
  }
}

SentencesOfSplit sentences_of(const SentencePairs& pairs, int64_t limit) {
  const int64_t n = count_of(pairs, limit);
  SentencesOfSplit all{Sentences(static_cast<std::size_t>(n)), Sentences(static_cast<std::size_t>(n))};
  for (std::size_t i = 0; i < all.sources.size(); ++i) {
    pairs.source(static_cast<int64_t>(i), all.sources[i]);
    pairs.target(static_cast<int64_t>(i), all.targets[i]);
  }
  return all;
}

/// Lines of a split; of ids alone what `decode` makes of them.
template <class Decode>
std::vector<std::string> lines_or_decoded(const std::vector<std::string>& lines, const Sentences& ids,
                                          const Decode& decode) {
  if (!lines.empty()) return {lines.begin(), lines.begin() + std::ssize(ids)};
  std::vector<std::string> decoded;
  for (const auto& one : ids) decoded.push_back(decode(one));
  return decoded;
}

}  // namespace

void check_positions(const TranslateOptions& options, const TranslationData& data,
                     const RunContext& context) {
  const bool validates = options.validation_bleu || (options.trains && options.train.validate_interval > 0);
  const int64_t positions = options.batching.max_positions;
  if (validates) refuse_longer(*data.validation, data.validation_files, context.limit, positions);
  refuse_longer(*data.test, data.test_files, context.limit, positions);
}

TranslatedSplit translate_split(Split split, const TranslateOptions& options, const TranslationData& data,
                                Translator& model, const RunContext& context) {
  const bool test = split == Split::test;
  const TranslationVocabulary& vocabulary = *data.vocabulary;
  auto [sources, targets] = sentences_of(test ? *data.test : *data.validation, context.limit);
  TranslatedSplit done;
  done.split = split;
  done.tokenised = vocabulary.tokenised();
  done.sources = lines_or_decoded(test ? data.test_sources : data.validation_sources, sources,
                                  [&](const auto& ids) { return vocabulary.decode(ids); });
  done.references = lines_or_decoded(test ? data.test_references : data.validation_references, targets,
                                     [&](const auto& ids) { return vocabulary.decode_reference(ids); });
  for (const auto& source : sources) done.source_tokens.push_back(std::ssize(source));
  NumberedSources numbered{std::move(sources), {}};
  numbered.numbers.resize(numbered.ids.size());
  std::iota(numbered.numbers.begin(), numbered.numbers.end(), int64_t{0});
  const auto started = std::chrono::steady_clock::now();
  done.found = translate_all(model, options.decoding, numbered, derive_seed(context.seed, name_of(split)),
                             context.device);
  done.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  for (const auto& best : done.found) done.translations.push_back(vocabulary.decode(best.front().ids));
  return done;
}

}  // namespace attnlab
