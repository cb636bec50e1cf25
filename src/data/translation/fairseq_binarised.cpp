#include "data/translation/fairseq_binarised.h"

#include "core/error.h"
#include "core/files.h"
#include "data/translation/fairseq_file.h"
#include "data/translation/text_pairs_reader.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

constexpr const char* missing_binarised = "; fairseq-preprocess --dataset-impl mmap writes it";

class FairseqPairs final : public SentencePairs {
 public:
  FairseqPairs(const fs::path& source, const fs::path& target, int64_t vocabulary)
      : source_(source, vocabulary),
        target_(target, vocabulary),
        sha256_(sha256(source_.sha256_of_files() + target_.sha256_of_files())) {
    if (source_.size() != target_.size())
      user_error("{}.idx has {} sentences and {}.idx has {}", source.string(), source_.size(),
                 target.string(), target_.size());
    if (source_.size() == 0) user_error("{}.idx has no sentence", source.string());
  }
  int64_t size() const override { return source_.size(); }
  int64_t source_length(int64_t i) const override { return source_.length(i); }
  int64_t target_length(int64_t i) const override { return target_.length(i); }
  void source(int64_t i, std::vector<int64_t>& ids) const override { source_.read(i, ids); }
  void target(int64_t i, std::vector<int64_t>& ids) const override { target_.read(i, ids); }
  std::string_view content_sha256() const override { return sha256_; }

 private:
  FairseqFile source_, target_;
  std::string sha256_;
};

fs::path dictionary_of(const FairseqBinarisedOptions& o, const std::string& language) {
  return fs::path(o.path) / ("dict." + language + ".txt");
}

/// Of the two directions the one that is there: "<path>/train.en-de".
std::string prefix_of(const FairseqBinarisedOptions& o, const std::string& part) {
  const std::string stem = (fs::path(o.path) / part).string() + ".";
  const std::string there = stem + o.source + "-" + o.target, back = stem + o.target + "-" + o.source;
  return fs::exists(back + "." + o.source + ".idx") ? back : there;
}

std::vector<fs::path> files_of_fairseq(const FairseqBinarisedOptions& o) {
  std::vector<fs::path> all = {dictionary_of(o, o.source), dictionary_of(o, o.target)};
  for (const char* part : {"train", "valid", "test"})
    for (const std::string& language : {o.source, o.target})
      for (const char* extension : {".bin", ".idx"})
        all.emplace_back(prefix_of(o, part) + "." + language + extension);
  if (!o.codes.empty()) all.emplace_back(o.codes);
  return all;
}

Dictionary joined_dictionary(const FairseqBinarisedOptions& o) {
  const fs::path source = dictionary_of(o, o.source), target = dictionary_of(o, o.target);
  Dictionary one = Dictionary::read(source);
  if (Dictionary::read(target).text() != one.text())
    user_error(
        "{} and {} are different dictionaries; models here share their embeddings: preprocess with "
        "--joined-dictionary",
        source.string(), target.string());
  return one;
}

}  // namespace

void FairseqBinarisedOptions::visit(Fields& f) {
  f("path", path, OneOf{}, "folder that fairseq-preprocess --joined-dictionary made");
  f.require(!path.empty(), "path", "must name a folder");
  f("source", source, OneOf{}, "language that is translated, as the files are named");
  f("target", target, OneOf{}, "language into which");
  f.require(source != target, "target", "is the source language");
  f("pieces", pieces, names_of_pieces(), "how pieces become words again, fairseq's --remove-bpe");
  f("codes", codes, OneOf{},
    "subword-nmt's merges, to cut new texts by; empty: these come in pieces already");
}

std::string FairseqBinarisedOptions::contents_checksum(const DataPlace&) const {
  return checksum_of_contents(files_of_fairseq(*this), missing_binarised);
}

TranslationData FairseqBinarisedOptions::open(const DataPlace&) const {
  checksum_of_stats(files_of_fairseq(*this), missing_binarised);  // all files are there
  Dictionary dictionary = joined_dictionary(*this);
  const int64_t symbols = dictionary.size();
  std::optional<SubwordBpe> bpe;
  if (!codes.empty()) bpe.emplace(codes, std::vector<std::string>());
  TranslationData data;
  data.vocabulary = std::make_shared<PieceVocabulary>(std::move(dictionary), std::move(bpe), pieces);
  const auto part = [&](const char* name, SplitFiles& files) {
    const std::string prefix = prefix_of(*this, name) + ".";
    files = {prefix + source + ".bin", prefix + target + ".bin"};
    return std::make_shared<FairseqPairs>(prefix + source, prefix + target, symbols);
  };
  SplitFiles of_train;
  data.train = part("train", of_train);
  data.validation = part("valid", data.validation_files);
  data.test = part("test", data.test_files);
  data.cleaning.read = data.cleaning.kept = data.train->size();
  data.route =
      fmt::format("fairseq's binarised {}-{}, joined dictionary of {} symbols", source, target, symbols);
  data.checksum = checksum_of_parts(data);
  return data;
}

}  // namespace attnlab
