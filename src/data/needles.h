// Needles in a haystack as RULER makes them (Hsieh et al. 2024, arXiv 2404.06654; github.com/NVIDIA/RULER,
// scripts/data/synthetic/niah.py, constants.py and scripts/synthetic.yaml): a sentence with a number or an
// identifier stands somewhere in a long text, and is asked for.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/options.h"
#include "data/essay.h"
#include "data/sequences.h"
#include "data/tokenizer.h"

namespace attnlab {

/// RULER's niah_single_1 … niah_multikey_3.
enum class NeedleVariant { single_1, single_2, single_3, multikey_1, multikey_2, multikey_3 };

/// Tokens of an answer, which `length` includes (RULER: tokens_to_generate).
inline constexpr int64_t needle_answer_tokens = 128;

/// The haystack is as large as the length allows, in lines or words. Scores can be compared with RULER's; its
/// samples are others: the words of its keys are those of the package wonderwords and ours are our own, its
/// random numbers are Python's, and where its essays are Paul Graham's, books of PG-19 serve here. As in
/// RULER all samples have the same essay, the beginning of the text; no key stands twice in a sample, which
/// RULER leaves to chance.
struct NeedleOptions {
  NeedleVariant variant = NeedleVariant::single_1;
  int64_t length = 4096;
  int64_t samples = 500;
  int64_t seed = 42;
  int64_t depth = -1;
  std::string essays;

  void visit(Fields& f);
  /// RULER's name of the task: "niah_single_1".
  std::string task() const;
  /// Whether the haystack is running text, so that files are read.
  bool reads_essays() const;
};

/// What stands around a haystack, RULER's byte for byte.
struct NeedleFrame {
  std::string before, after;
  std::string answer_prefix;  ///< begins with a space; behind a chat format's mark of the assistant
};
NeedleFrame needle_frame(NeedleVariant variant, const std::string& key);

/// The prompt is before + haystack + after, then the answer prefix.
struct NeedleSample {
  std::string id;   ///< "niah_single_1-17"
  std::string key;  ///< what is asked for: "brave-heron", or a UUID
  std::string haystack;
  NeedleFrame frame;
  std::vector<std::string> references;  ///< one: seven digits, or a UUID
  double depth = 0;                     ///< share of the haystack's lines or sentences before the needle
  int64_t tokens = 0;                   ///< of prompt and answer prefix, without BOS
};

/// The samples, each made when it is read, from the seed and its number alone: the same seed and number have
/// the same needle at every length and depth.
class NeedleSet {
 public:
  /// `template_tokens`: of a chat format and BOS, for which `length` leaves room (RULER:
  /// model_template_token). Throws UserError where the essays are missing.
  NeedleSet(NeedleOptions options, Tokenizer tokenizer, const DataPlace& place, int64_t template_tokens = 0);
  int64_t size() const { return options_.samples; }
  /// tokens + template_tokens + needle_answer_tokens is at most `length`, and one more line or word of
  /// haystack would exceed it. Throws UserError where not even one fits.
  NeedleSample read(int64_t i) const;

 private:
  NeedleOptions options_;
  Tokenizer tokenizer_;
  int64_t template_tokens_;
  std::shared_ptr<const Essay> essay_;  ///< null where there are lines
};

/// The text that haystacks are taken from, `length` words of it; null where they are lines. Throws UserError
/// where it is missing.
std::shared_ptr<const Essay> needle_essay(const NeedleOptions& options, const DataPlace& place);

}  // namespace attnlab
