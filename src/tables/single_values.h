// A figure taken apart: what it is the mean of, one value a question, an example or a document. Two runs that
// have them of the same things are compared pair by pair, for what is hard is hard for both.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "metrics/paired_verdicts.h"

namespace attnlab {

struct SingleValues {
  std::map<std::string, double> by_name;
  std::string things;  ///< "questions", "examples", "documents"
  bool logarithms =
      false;              ///< of the figure: differences are of the logarithm, and their mean that of a ratio
  bool verdicts = false;  ///< 1 where right, 0 where wrong
  /// Of a document's perplexity, over how many tokens it is.
  std::map<std::string, double> tokens = {};

  bool empty() const { return by_name.empty(); }
};

/// Of a headline figure: the column of that name of /shares; accuracies, /eval/test and its shuffles and byte
/// counts; perplexity and perplexity_answers, the logarithm of each document's; perplexity_beyond_512, the
/// same at positions of a chunk from 512 on, where a range of positions begins there. Empty where the record
/// has none.
SingleValues single_values(const std::filesystem::path& record, const std::string& figure);

/// Figures that may have them.
std::vector<std::string> figures_of_single_values(const std::filesystem::path& record);

/// The mean over several runs, of the things that all have.
SingleValues mean_of(const std::vector<SingleValues>& runs);

/// Ours less theirs, over the things that both have.
struct DifferenceOfValues {
  double mean = 0;
  double standard_error = 0;                 ///< of the mean over the things; NaN for one
  int64_t higher = 0, lower = 0, equal = 0;  ///< how many of ours are
  int64_t things() const { return higher + lower + equal; }
};
/// NaN where they have nothing in common.
DifferenceOfValues paired_difference(const SingleValues& ours, const SingleValues& theirs);
/// How many things both have, but over another number of tokens.
int64_t over_other_tokens(const SingleValues& ours, const SingleValues& theirs);
/// Of verdicts: a are theirs, b ours.
PairedVerdicts paired_verdicts(const SingleValues& ours, const SingleValues& theirs);

}  // namespace attnlab
