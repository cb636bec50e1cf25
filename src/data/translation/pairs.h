// Sentence pairs for translation, and the data sets that provide them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/options.h"
#include "data/sequences.h"
#include "data/translation/cleaning_report.h"

namespace attnlab {

/// Sentence pairs as token ids; every sentence ends with EOS. Memory-mapped, cheap to share.
class SentencePairs {
 public:
  virtual ~SentencePairs() = default;
  virtual int64_t size() const = 0;
  virtual int64_t source_length(int64_t i) const = 0;  ///< tokens, EOS counted; at least 1
  virtual int64_t target_length(int64_t i) const = 0;
  /// Replaces `ids` by the sentence's.
  virtual void source(int64_t i, std::vector<int64_t>& ids) const = 0;
  virtual void target(int64_t i, std::vector<int64_t>& ids) const = 0;
  /// SHA-256 of lengths and ids, which tells these pairs from others.
  virtual std::string_view content_sha256() const = 0;
};

/// Joint vocabulary of source and target: text ⇄ ids, in fairseq's layout, whoever made it. Can be shared by
/// threads.
class TranslationVocabulary {
 public:
  static constexpr int64_t bos = 0, pad = 1, eos = 2, unk = 3;

  virtual ~TranslationVocabulary() = default;
  virtual int64_t size() const = 0;  ///< ids are below it
  /// One line of text, as the route takes it, without EOS.
  virtual std::vector<int64_t> encode(std::string_view text) const = 0;
  /// The text of ids, on one line: BOS, PAD and EOS are silent, pieces are joined to words. Throws UserError
  /// for an id outside the vocabulary.
  virtual std::string decode(std::span<const int64_t> ids) const = 0;
  /// The same of a reference: what the vocabulary does not know reads <<unk>> there, which no translation's
  /// <unk> equals (fairseq's generate, by Dictionary.unk_string(escape)).
  virtual std::string decode_reference(std::span<const int64_t> ids) const { return decode(ids); }
  /// Whether texts, those that go in and those that come out, are tokenised ("Hello , world !").
  virtual bool tokenised() const = 0;
  /// SHA-256 of what the ids mean.
  virtual std::string checksum() const = 0;
  /// Writes the vocabulary's files into a folder that is there, for open_saved_vocabulary().
  virtual void save(const std::filesystem::path& folder) const = 0;
};

/// The vocabulary that save() left in the folder. Throws UserError where there is none.
std::shared_ptr<const TranslationVocabulary> open_saved_vocabulary(const std::filesystem::path& folder);

/// Where the sentences of a split come from, for messages.
struct SplitFiles {
  std::string source, target;
};

struct TranslationData {
  std::shared_ptr<SentencePairs> train, validation, test;
  std::shared_ptr<const TranslationVocabulary> vocabulary;
  /// Lines as they stand in the files, for BLEU; empty where the route holds ids only. Neither they nor the
  /// pairs of validation and test are ever cleaned or shortened: line i is pair i.
  std::vector<std::string> validation_sources, validation_references, test_sources, test_references;
  SplitFiles validation_files, test_files;
  std::string route;     ///< which text and which BPE, one phrase for records
  std::string checksum;  ///< SHA-256 over pairs and vocabulary
  CleaningReport cleaning;
};

/// SHA-256 over pairs and vocabulary.
std::string checksum_of_parts(const TranslationData& data);

/// Options of one set of sentence pairs; `type` in YAML picks it from the table in
/// data/translation/registry.cpp.
struct TranslationDataOptions : Component {
  /// Whether its texts are tokenised, so that BLEU is of tokenised text.
  virtual bool tokenised() const { return false; }
  /// Opens every part, preparing what is absent, stale or damaged in the data cache. Throws UserError for a
  /// missing file, unequal line counts and unreadable encodings, RunError for an unreadable file.
  virtual TranslationData open(const DataPlace& place) const = 0;
  /// SHA-256 over the contents of the files that open() reads, wherever they are: for a run's inputs.
  virtual std::string contents_checksum(const DataPlace& place) const = 0;
};

template <>
const std::vector<Entry<TranslationDataOptions>>& registry<TranslationDataOptions>();

}  // namespace attnlab
