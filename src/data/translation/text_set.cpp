#include "data/translation/text_set.h"

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "data/translation/encode_pairs.h"
#include "data/translation/pair_file.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

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

std::vector<fs::path> TextSetFiles::all() const {
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

void TextSetOptions::visit_cleaning(Fields& f) {
  f("cleaning", cleaning, "which training pairs are left out; validation and test stay whole");
}

std::string TextSetOptions::sources_checksum(const DataPlace& place) const {
  const TextSetFiles where = files(place);
  return sha256(checksum_of_stats(where.all(), where.advice) + checksum_of_stats(vocabulary_files(), ""));
}

std::string TextSetOptions::contents_checksum(const DataPlace& place) const {
  const TextSetFiles where = files(place);
  return sha256(checksum_of_contents(where.all(), where.advice) +
                checksum_of_contents(vocabulary_files(), ""));
}

TranslationData TextSetOptions::open(const DataPlace& place) const {
  const TextSetFiles where = files(place);
  const std::string sources = sources_checksum(place);
  TranslationData data;
  data.vocabulary = open_vocabulary(place);
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
  data.validation_files = {where.validation.source.string(), where.validation.target.string()};
  data.test_files = {where.test.source.string(), where.test.target.string()};
  data.route = where.name + ", " + route(*data.vocabulary);
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

void OwnFiles::visit(Fields& f) {
  f("train_sources", train_sources, OneOf{}, "files of sentences to train on");
  f("train_targets", train_targets, OneOf{}, "files of their translations, in the same order");
  f.require(!train_sources.empty(), "train_sources", "must name a file");
  f.require(
      train_sources.size() == train_targets.size(), "train_targets",
      fmt::format("names {} files where train_sources names {}", train_targets.size(), train_sources.size()));
  const auto file = [&f](const char* key, std::string& path, const char* meaning) {
    f(key, path, OneOf{}, meaning);
    f.require(!path.empty(), key, "must name a file");
  };
  file("validation_source", validation_source, "sentences to validate on");
  file("validation_target", validation_target, "their translations");
  file("test_source", test_source, "sentences that are translated in the end");
  file("test_target", test_target, "their translations");
}

TextSetFiles OwnFiles::named(const std::string& name) const {
  TextSetFiles all{name, "", {}, {validation_source, validation_target}, {test_source, test_target}};
  for (std::size_t i = 0; i < train_sources.size(); ++i)
    all.train.push_back({train_sources[i], train_targets[i]});
  return all;
}

}  // namespace attnlab
