#include "data/translation/raw_text.h"

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "core/stop.h"
#include "data/prepared.h"
#include "data/translation/encode_pairs.h"
#include "data/translation/pair_file.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

/// Sentences of both sides of at most `most` pairs, evenly spaced among all that have clean texts.
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

/// The vocabulary's file: the named one, or that of one trained on the set and kept in the data cache.
fs::path vocabulary_file(const RawTextOptions& o, const RawTextFiles& files, const DataPlace& place) {
  if (!o.vocabulary.path.empty()) return o.vocabulary.path;
  const std::string key =
      sha256("vocabulary 1 " + o.vocabulary.text() + o.cleaning.text() + o.sources_checksum(place));
  const fs::path file = place.cache / ("pieces-" + key.substr(0, 16) + ".model");
  const FileLock lock = lock_prepared(file);
  if (fs::exists(file)) return file;
  std::vector<std::string> sentences = sample_of(files.train, o.cleaning, o.vocabulary.sample);
  if (sentences.empty()) user_error("{} has no pair that a vocabulary could be trained on", files.name);
  log_info("training a vocabulary of {} pieces on {} sentences", o.vocabulary.pieces, sentences.size());
  write_atomically(file, train_joint_vocabulary(std::move(sentences), o.vocabulary));
  return file;
}

/// Prepared pairs of one part; without `cleaning` every one of them.
std::shared_ptr<PairFile> open_part(const std::string& part, const std::vector<TextPairFiles>& files,
                                    const CleaningOptions* cleaning, const TranslationVocabulary& vocabulary,
                                    const std::string& sources, const DataPlace& place) {
  const std::string fingerprint = sha256("pairs 1 " + part + " " + (cleaning ? cleaning->text() : "whole") +
                                         " " + vocabulary.checksum() + sources);
  const fs::path file = place.cache / ("pairs-" + fingerprint.substr(0, 16) + ".bin");
  return open_or_write_pairs(file, fingerprint, vocabulary.size(), [&](PairFileWriter& writer) {
    log_info("preparing pairs: {}", part);
    const CleaningReport report = encode_pairs(files, cleaning, vocabulary, writer);
    if (report.kept == 0) user_error("{} has no pair that can be used: {}", part, report.sentence());
    return report.text();
  });
}

}  // namespace

std::vector<fs::path> RawTextFiles::all() const {
  std::vector<fs::path> paths;
  const auto put = [&paths](const TextPairFiles& both) {
    paths.push_back(both.source);
    paths.push_back(both.target);
  };
  for (const TextPairFiles& both : train) put(both);
  put(validation);
  put(test);
  return paths;
}

void RawTextOptions::visit_preparation(Fields& f) {
  f("vocabulary", vocabulary, "joint vocabulary of both languages");
  f("cleaning", cleaning, "which training pairs are left out; validation and test stay whole");
}

std::string RawTextOptions::sources_checksum(const DataPlace& place) const {
  const RawTextFiles where = files(place);
  return checksum_of_stats(where.all(), where.advice);
}

TranslationData RawTextOptions::open(const DataPlace& place) const {
  const RawTextFiles where = files(place);
  const std::string sources = sources_checksum(place);
  TranslationData data;
  data.vocabulary = open_joint_vocabulary(vocabulary_file(*this, where, place));
  const auto part = [&](const std::string& name, const std::vector<TextPairFiles>& from,
                        const CleaningOptions* cleaned) {
    return open_part(where.name + " " + name, from, cleaned, *data.vocabulary, sources, place);
  };
  const auto train = part("train", where.train, &cleaning);
  data.cleaning = CleaningReport::parse(train->note());
  log_info("{}: {}", where.name, data.cleaning.sentence());
  data.train = train;
  data.validation = part("validation", {where.validation}, nullptr);
  data.test = part("test", {where.test}, nullptr);
  data.validation_sources = read_lines(where.validation.source);
  data.validation_references = read_lines(where.validation.target);
  data.test_sources = read_lines(where.test.source);
  data.test_references = read_lines(where.test.target);
  data.route = fmt::format("{}, raw text; joint SentencePiece BPE of {} pieces, {}", where.name,
                           data.vocabulary->size(),
                           vocabulary.path.empty() ? vocabulary.normalisation : "a given model");
  data.checksum = checksum_of_parts(data);
  return data;
}

void LanguagePair::visit(Fields& f) {
  f("source", source, OneOf{}, "language that is translated, as the files' names end");
  f("target", target, OneOf{}, "language into which");
  f.require(source != target, "target", "is the source language");
}

TextPairFiles by_language(const fs::path& folder, const std::string& stem, const LanguagePair& languages) {
  return {folder / (stem + "." + languages.source), folder / (stem + "." + languages.target)};
}

}  // namespace attnlab
