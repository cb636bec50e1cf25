#include "data/tokenizer_training.h"

#include <sentencepiece_trainer.h>

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "core/error.h"

namespace attnlab {
namespace {

/// Lines of text, handed to SentencePiece one by one.
class Lines final : public sentencepiece::SentenceIterator {
 public:
  explicit Lines(std::vector<std::string> lines) : lines_(std::move(lines)) {}
  bool done() const override { return at_ >= lines_.size(); }
  void Next() override { ++at_; }
  const std::string& value() const override { return lines_[at_]; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  std::vector<std::string> lines_;
  size_t at_ = 0;
};

/// The same share of every document, from its beginning, cut into lines.
std::vector<std::string> sample(const Documents& documents, int64_t count, int64_t bytes) {
  std::vector<std::string> lines;
  const int64_t share = std::max<int64_t>(1, bytes / count);
  for (int64_t i = 0; i < count; ++i) {
    const std::string text = documents.read(i).text;
    const size_t limit = std::min(text.size(), static_cast<size_t>(share));
    for (size_t at = 0; at < limit;) {
      const size_t end = std::min(text.find('\n', at), text.size());
      if (end > at) lines.push_back(text.substr(at, end - at));
      at = end + 1;
    }
  }
  return lines;
}

}  // namespace

std::string train_tokenizer(const Documents& documents, int64_t count, int64_t vocabulary,
                            int64_t sample_bytes, double coverage) {
  const std::unordered_map<std::string, std::string> settings = {
      {"model_type", "bpe"},
      {"vocab_size", std::to_string(vocabulary)},
      {"byte_fallback", "true"},
      {"split_digits", "true"},
      {"normalization_rule_name", "identity"},
      {"remove_extra_whitespaces", "false"},
      {"allow_whitespace_only_pieces", "true"},
      {"character_coverage", fmt::format("{}", coverage)},
      {"num_threads", "1"},  // the same model whatever the machine
      {"minloglevel", "2"},
  };
  Lines lines(sample(documents, count, sample_bytes));
  std::string model;
  const auto status = sentencepiece::SentencePieceTrainer::Train(settings, &lines, &model);
  if (!status.ok()) run_error("SentencePiece cannot train a tokenizer: {}", status.ToString());
  return model;
}

}  // namespace attnlab
