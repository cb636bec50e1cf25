// Perplexity of texts, from sums that are kept for every document, so that each average can be taken.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace attnlab {

/// What a model made of one document. Counts are of exactly the tokens that were scored; without a text
/// behind the tokens, bytes and words are 0.
struct DocumentScore {
  int64_t tokens = 0, bytes = 0, words = 0;
  double nll = 0;  ///< nat, sum over the scored tokens
};

/// A figure over documents. The standard error is over documents, which are taken as a sample; NaN for fewer
/// than two.
struct DocumentFigure {
  double value = 0;
  double standard_error = 0;
  int64_t n = 0;  ///< documents
};

/// exp(Σ nll / Σ tokens): all tokens weigh the same. Its standard error is that of a ratio of sums,
/// linearised (Cochran 1977, §6.4: sqrt(n / (n − 1) Σ (x − R m)²) / Σ m), times the perplexity.
DocumentFigure pooled_perplexity(std::span<const DocumentScore> documents);
/// The mean of exp(nll / tokens) over documents: all documents weigh the same. Those without a scored token
/// are left out.
DocumentFigure mean_document_perplexity(std::span<const DocumentScore> documents);
/// exp(Σ nll / Σ words), comparable between tokenizers. NaN without words.
DocumentFigure word_perplexity(std::span<const DocumentScore> documents);
/// Σ nll / ln 2 / Σ bytes, comparable between tokenizers. NaN without bytes.
DocumentFigure bits_per_byte(std::span<const DocumentScore> documents);

/// Sums of nll by position in the chunk, in ranges of equal width.
class PositionCurve {
 public:
  struct Range {
    int64_t first = 0, last = 0;  ///< positions, both included
    int64_t tokens = 0;
    double nll = 0;  ///< nat, sum
  };

  /// Positions 0 … length − 1 in at most `ranges` ranges.
  PositionCurve(int64_t length, int64_t ranges);
  void add(int64_t position, double nll);
  void add(const PositionCurve& other);

  std::vector<Range>& ranges() { return ranges_; }
  const std::vector<Range>& ranges() const { return ranges_; }

 private:
  int64_t width_;
  std::vector<Range> ranges_;
};

}  // namespace attnlab
