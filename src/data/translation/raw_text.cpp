#include "data/translation/raw_text.h"

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "data/prepared.h"
#include "data/tokenizer.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

/// Sentences of both sides of at most `most` pairs, evenly spaced, those left out that have no clean texts.
std::vector<std::string> sample_of(const std::vector<TextPairFiles>& files, const CleaningOptions& cleaning,
                                   int64_t most) {
  const int64_t pairs = count_pairs(files);
  TextPairsReader reader(files);
  Cleaner cleaner(cleaning);
  std::vector<std::string> sentences;
  std::string source, target;
  for (int64_t i = 0; reader.next(source, target); ++i) {
    const bool chosen = pairs <= most || (i + 1) * most / pairs > i * most / pairs;
    if (!chosen || !cleaner.keeps_texts(source, target)) continue;
    sentences.push_back(source);
    sentences.push_back(target);
  }
  return sentences;
}

/// A vocabulary that was trained before; null where there is none, or none that can be read.
std::shared_ptr<const TranslationVocabulary> opened_or_none(const fs::path& file) {
  if (!fs::exists(file)) return nullptr;
  try {
    return open_joint_vocabulary(file);
  } catch (const UserError& e) {
    log_info("{}: it is trained again", e.what());
    return nullptr;
  }
}

}  // namespace

void RawTextOptions::visit_preparation(Fields& f) {
  f("vocabulary", vocabulary, "joint vocabulary of both languages");
  visit_cleaning(f);
}

std::vector<fs::path> RawTextOptions::vocabulary_files() const {
  if (vocabulary.path.empty()) return {};
  return {joint_vocabulary_file(vocabulary.path)};
}

std::shared_ptr<const TranslationVocabulary> RawTextOptions::open_vocabulary(const DataPlace& place) const {
  if (!vocabulary.path.empty()) return open_joint_vocabulary(vocabulary.path);
  const std::string key =
      sha256("vocabulary 1 " + vocabulary.text() + cleaning.text() + sources_checksum(place));
  const fs::path file = place.cache / ("pieces-" + key.substr(0, 16) + ".model");
  if (auto prepared = opened_or_none(file)) return prepared;
  const FileLock lock = lock_prepared(file);
  if (auto prepared = opened_or_none(file)) return prepared;
  const TextSetFiles where = files(place);
  std::vector<std::string> sentences = sample_of(where.train, cleaning, vocabulary.sample);
  if (sentences.empty()) user_error("{} has no pair that a vocabulary could be trained on", where.name);
  log_info("training a vocabulary of {} pieces on {} sentences", vocabulary.pieces, sentences.size());
  write_atomically(file, train_joint_vocabulary(std::move(sentences), vocabulary));
  return open_joint_vocabulary(file);
}

std::string RawTextOptions::route(const TranslationVocabulary& opened) const {
  return fmt::format("raw text; joint SentencePiece BPE of {} pieces, {}", opened.size(),
                     vocabulary.path.empty() ? vocabulary.normalisation : "a given model");
}

}  // namespace attnlab
