#include "data/sentencepiece_training.h"

#include <sentencepiece_trainer.h>

#include <algorithm>
#include <string_view>

#include "core/error.h"

namespace attnlab {
namespace {

/// Below the library's max_sentence_length of 4,192.
constexpr std::size_t longest_line = 4000;

/// Bytes of its beginning, at most `longest_line`, that end between two characters.
std::size_t whole_characters(std::string_view text) {
  if (text.size() <= longest_line) return text.size();
  std::size_t end = longest_line;
  while (end > longest_line - 4 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return end;
}

/// Lines, handed to SentencePiece one by one, long ones in parts.
class Lines final : public sentencepiece::SentenceIterator {
 public:
  explicit Lines(std::vector<std::string> lines) : lines_(std::move(lines)) { take(); }
  bool done() const override { return line_ >= lines_.size(); }
  void Next() override {
    begin_ += part_.size();
    if (begin_ >= lines_[line_].size()) {
      begin_ = 0;
      ++line_;
    }
    take();
  }
  const std::string& value() const override { return part_; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  void take() {
    if (done()) return;
    const std::string_view rest = std::string_view(lines_[line_]).substr(begin_);
    part_ = rest.substr(0, whole_characters(rest));
  }

  std::vector<std::string> lines_;
  std::size_t line_ = 0, begin_ = 0;
  std::string part_;
};

}  // namespace

std::string train_sentencepiece(std::vector<std::string> lines, int64_t pieces, double coverage,
                                std::unordered_map<std::string, std::string> settings) {
  settings.insert({{"model_type", "bpe"},
                   {"vocab_size", std::to_string(pieces)},
                   {"character_coverage", fmt::format("{}", coverage)},
                   {"num_threads", "1"},  // the same model whatever the machine
                   {"minloglevel", "2"}});
  Lines all(std::move(lines));
  std::string model;
  const auto status = sentencepiece::SentencePieceTrainer::Train(settings, &all, &model);
  if (!status.ok())
    user_error("SentencePiece cannot train a vocabulary of {} pieces: {}", pieces, status.ToString());
  return model;
}

}  // namespace attnlab
