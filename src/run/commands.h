// The commands of `attnlab`, one function each. They return the exit status of the process; what they print
// goes to standard output, what they report to standard error.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/tokenizer.h"
#include "metrics/bleu.h"
#include "run/score_texts.h"

namespace attnlab {

/// What most commands name: a configuration with overrides "key.path=value".
struct Target {
  std::filesystem::path config;
  std::vector<std::string> overrides;
};

struct RunCommandOptions {
  std::optional<int64_t> index = std::nullopt;
  std::string id = {};  ///< of the run that is meant; another one is refused; "": whichever is described
  bool fresh = false;
};

/// attnlab run: see live().
int run_command(const Target& target, const RunCommandOptions& options, const std::vector<std::string>& argv);

struct SweepOptions {
  std::optional<int64_t> index = std::nullopt;  ///< only this run
  int64_t jobs = 1;                             ///< runs at a time
  bool in_order = false;                        ///< as they are listed; else the longest first
  bool retry_failed = false;  ///< failed, diverged and out-of-memory runs too, and those that seem too large
};

/// attnlab sweep: every run that is not done, each in a child process, longest first. One that cannot fit
/// this machine is recorded as skipped, and looked at again the next time. 0 when all are done in the end, 1
/// when some failed or were skipped, 128 + signal when stopped.
int sweep_command(const Target& target, const SweepOptions& options);

/// attnlab list: a line a run.
int list_command(const Target& target);

/// attnlab show: the resolved configuration.
int show_command(const Target& target, std::optional<int64_t> index);

/// attnlab explain: keys, defaults, bounds, meaning of a component, or an overview.
int explain_command(const std::string& component);

/// attnlab explain --all: the reference page, a Markdown table for every section and component.
int reference_command();

struct TableOptions {
  std::string format = "text";       ///< text, markdown, csv, latex or json
  std::vector<std::string> columns;  ///< headline figures, each with its ratios; empty: all
  std::string against = {};  ///< a row, or its label: every row less it, pair by pair, in place of the table
};

/// attnlab table: the experiment's figures, one row a case (seeds together), with their floors and the
/// published ones. The target is an experiment file, or results: then what stands behind it are further
/// places of records.
int table_command(const Target& target, const TableOptions& options);

/// attnlab compare: in what two runs, each named by its folder or its record, differ, and their figures
/// beside each other, paired where both are of the same examples.
int compare_command(const std::filesystem::path& place_a, const std::filesystem::path& place_b);

/// attnlab predict: standard input to JSON lines, with the weights that a run's figures are of (its folder is
/// named, or a configuration that describes it); or continuations by the pre-trained decoder of a Hugging
/// Face folder, with the keys of ContinueOptions as overrides.
int predict_command(const Target& target, std::optional<int64_t> index);

struct TokenizeOptions {
  std::filesystem::path place;  ///< a tokenizer's file or its folder
  bool json = false;            ///< texts come as JSON strings, not as lines
  bool pieces = false;          ///< pieces go out, not ids
  bool decode = false;          ///< ids come in, texts go out
  bool special_as_text = false;
  AddBos add_bos = AddBos::model;
};

/// attnlab tokenize: lines of standard input as JSON arrays of ids, or back.
int tokenize_command(const TokenizeOptions& options);

struct ScoreOptions {
  std::string metric;                                     ///< rouge, token_f1, bleu, chrf or chrf++
  std::filesystem::path predictions;                      ///< a line each, plain or JSON
  std::vector<std::filesystem::path> references;          ///< as many lines each, or with the same ids
  TextFormat format = TextFormat::automatic;              ///< of all these files
  bool stemmer = false;                                   ///< of rouge
  std::optional<BleuTokenizer> tokenizer = std::nullopt;  ///< of bleu, as the next two; 13a
  std::optional<BleuSmoothing> smoothing = std::nullopt;  ///< exp; with the compound split none
  bool compound_split = false;
  bool lowercase = false;  ///< of bleu and chrf
  bool each = false;       ///< a line of JSON an example before the summary
};

/// attnlab score: predictions against references, as JSON (run/score_examples.h). Throws UserError for texts
/// that cannot be read and for options of another metric.
int score_command(const ScoreOptions& options);

/// attnlab doctor: what was found on this machine. measure: also the rate of fp32 matrix products.
int doctor_command(bool measure);

}  // namespace attnlab
