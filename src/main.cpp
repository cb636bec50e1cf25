// argv → one call.
#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/problems.h"
#include "core/error.h"
#include "core/log.h"
#include "core/shown.h"
#include "core/stop.h"
#include "run/commands.h"
#include "run/exit.h"
#include "run/start.h"
#include "run/version.h"

namespace {

using attnlab::Target;

/// What the options of all commands are parsed into.
struct Arguments {
  Target target;
  std::filesystem::path second;  ///< of two runs
  std::optional<int64_t> index;
  std::optional<int64_t> limit;
  attnlab::SweepOptions sweep;
  attnlab::TableOptions table;
  attnlab::TokenizeOptions tokenize;
  attnlab::ScoreOptions score;
  std::string component;
  attnlab::RunCommandOptions run;
  bool measure = false;
  bool all = false;
  std::vector<std::string> argv;
  std::function<int()> call;
};

CLI::App* command(CLI::App& app, const char* name, const char* meaning) {
  return app.add_subcommand(name, meaning)->fallthrough(false);
}

void takes_target(CLI::App* sub, Target& target, const char* what) {
  sub->add_option(what, target.config, "a YAML file")->required();
  sub->add_option("key=value", target.overrides, "replaces the value of a key: train.learning_rate=1e-3");
}

/// A check of a whole number. CLI11's own for an open range speaks of 1.79769e308 as its other end.
auto at_least(int64_t least) {
  return [least](const std::string& text) -> std::string {
    int64_t value = 0;
    if (CLI::detail::lexical_cast(text, value) && value >= least) return "";
    return fmt::format("'{}' is no whole number of at least {}", text, least);
  };
}

void takes_index(CLI::App* sub, Arguments& a) {
  sub->add_option("--index", a.index, "which run of the sweep, as `attnlab list` counts them")
      ->check(at_least(0));
}

void takes_limit(CLI::App* sub, Arguments& a) {
  sub->add_option("--limit", a.limit, "evaluate on the first N examples only (the same as limit=N)")
      ->check(at_least(1));
}

/// Short spellings of the keys that continuations need most.
void takes_continuation_flags(CLI::App* sub, Target& target) {
  static constexpr std::array<std::array<const char*, 3>, 10> flags{
      {{"--max-new-tokens", "max_new_tokens", "tokens to add at most"},
       {"--temperature", "temperature", "of sampling; 0: always the most probable token"},
       {"--top-k", "top_k", "sample among the so many most probable tokens"},
       {"--top-p", "top_p", "sample among the fewest tokens of this probability together"},
       {"--seed", "seed", "of sampling"},
       {"--policy", "cache.policy", "which states of the cache go: full, window, tova, …"},
       {"--size", "cache.size", "states kept per layer and head"},
       {"--batch", "batch", "lines to continue together"},
       {"--save-state", "save_state", "a file for what is remembered of the line, to go on from later"},
       {"--load-state", "load_state", "such a file, which every line goes on from"}}};
  for (const auto& [flag, key, meaning] : flags)
    sub->add_option_function<std::string>(
           flag,
           [&target, key = std::string(key)](const std::string& value) {
             target.overrides.push_back(key + "=" + value);
           },
           std::string("decoder's folder: ") + meaning)
        ->type_name("");
}

void add_running_commands(CLI::App& app, Arguments& a) {
  CLI::App* run = command(app, "run", "do one run, or resume an interrupted one");
  takes_target(run, a.target, "CONFIG");
  takes_index(run, a);
  takes_limit(run, a);
  run->add_flag("--fresh", a.run.fresh, "start over, even where the run is done");
  run->add_option("--id", a.run.id, "the id of the run that is meant; another one is refused")->type_name("");
  run->callback([&a] {
    a.call = [&a] {
      attnlab::install_stop_signals();
      attnlab::log_to_standard_output();
      a.run.index = a.index;
      return run_command(a.target, a.run, a.argv);
    };
  });

  CLI::App* sweep =
      command(app, "sweep", "do all runs of an experiment that are not done, each in its own process");
  takes_target(sweep, a.target, "EXPERIMENT");
  takes_index(sweep, a);
  takes_limit(sweep, a);
  sweep->add_option("--jobs", a.sweep.jobs, "runs at a time; they share the cores unless threads is set")
      ->check(CLI::Range(1, 1024));
  sweep->add_flag("--in-order", a.sweep.in_order, "start runs as they are listed, not the longest first");
  sweep->add_flag("--retry-failed", a.sweep.retry_failed,
                  "also the runs that failed, diverged or ran out of memory, and those that seem too large");
  sweep->callback([&a] {
    a.call = [&a] {
      attnlab::install_stop_signals();
      attnlab::log_to_standard_output();
      a.sweep.index = a.index;
      return sweep_command(a.target, a.sweep);
    };
  });
}

void add_looking_commands(CLI::App& app, Arguments& a) {
  CLI::App* list =
      command(app, "list", "a line a run: index, id, status, case, and the command that does just it");
  takes_target(list, a.target, "EXPERIMENT");
  list->callback([&a] { a.call = [&a] { return list_command(a.target); }; });

  CLI::App* show = command(app, "show", "the resolved configuration, which reads back to the same run");
  takes_target(show, a.target, "CONFIG");
  takes_index(show, a);
  show->callback([&a] { a.call = [&a] { return show_command(a.target, a.index); }; });

  CLI::App* explain =
      command(app, "explain", "keys, defaults, bounds and meaning of a component, or an overview");
  CLI::Option* component = explain->add_option(
      "COMPONENT", a.component, "a key path (model.encoder), its last part, a name (luna), or predict");
  explain->add_flag("--all", a.all, "everything, as a page of Markdown tables")->excludes(component);
  explain->callback([&a] {
    a.call = [&a] { return a.all ? attnlab::reference_command() : attnlab::explain_command(a.component); };
  });

  CLI::App* table = command(app, "table", "the figures of an experiment beside the published ones");
  table
      ->add_option("EXPERIMENT_OR_RESULTS", a.target.config,
                   "a YAML file; or a folder of results, of an experiment or of a run, or a run.h5")
      ->required();
  table->add_option("key=value", a.target.overrides, "of a YAML file; behind results, more of them");
  table->add_option("--format", a.table.format, "text, markdown, csv, latex or json (results/README.md)")
      ->check(CLI::IsMember({"text", "markdown", "csv", "latex", "json"}));
  table
      ->add_option("--columns", a.table.columns, "figures to show, separated by commas, each with its ratios")
      ->delimiter(',')
      ->allow_extra_args(false);
  table->add_option(
      "--against", a.table.against,
      "a row or its label: how far the others lie from it, paired over questions, examples or documents");
  table->callback([&a] { a.call = [&a] { return table_command(a.target, a.table); }; });
}

void add_compare_command(CLI::App& app, Arguments& a) {
  CLI::App* compare =
      command(app, "compare", "two runs beside each other: in what they differ, their figures");
  compare->add_option("RUN", a.target.config, "the folder of a run, or its run.h5")->required();
  compare->add_option("RUN_B", a.second, "the other")->required();
  compare->callback([&a] { a.call = [&a] { return attnlab::compare_command(a.target.config, a.second); }; });
}

void add_tokenize_command(CLI::App& app, Arguments& a) {
  CLI::App* tokenize =
      command(app, "tokenize", "lines of standard input as token ids, a JSON array each; or back");
  tokenize
      ->add_option("FOLDER_OR_FILE", a.tokenize.place, "a model's folder, tokenizer.json or tokenizer.model")
      ->required();
  CLI::Option* decode =
      tokenize->add_flag("--decode", a.tokenize.decode, "ids in, texts out as JSON strings");
  tokenize->add_flag("--json", a.tokenize.json, "each line is a text as a JSON string")->excludes(decode);
  tokenize->add_flag("--pieces", a.tokenize.pieces, "the pieces, not their ids")->excludes(decode);
  tokenize->add_flag("--text", a.tokenize.special_as_text, "special tokens in a text are text")
      ->excludes(decode);
  static const std::map<std::string, attnlab::AddBos> bos{{"model", attnlab::AddBos::model},
                                                          {"true", attnlab::AddBos::always},
                                                          {"false", attnlab::AddBos::never}};
  tokenize->add_option("--bos", a.tokenize.add_bos, "whether texts begin with BOS; model: as its folder says")
      ->transform(CLI::CheckedTransformer(bos))
      ->excludes(decode);
  tokenize->callback([&a] { a.call = [&a] { return tokenize_command(a.tokenize); }; });
}

void add_translation_options(CLI::App* score, attnlab::ScoreOptions& options) {
  using Tokenizer = attnlab::BleuTokenizer;
  using Smoothing = attnlab::BleuSmoothing;
  static const std::map<std::string, Tokenizer> tokenizers{
      {"13a", Tokenizer::mteval_13a}, {"intl", Tokenizer::international}, {"none", Tokenizer::none}};
  static const std::map<std::string, Smoothing> smoothings{{"exp", Smoothing::exponential},
                                                           {"none", Smoothing::none},
                                                           {"floor", Smoothing::floor},
                                                           {"add-k", Smoothing::add_k}};
  auto* tokenize =
      score->add_option("--tokenize", options.tokenizer, "bleu's words: 13a (default), intl or none");
  tokenize->transform(CLI::CheckedTransformer(tokenizers));
  score
      ->add_option("--smooth", options.smoothing,
                   "of orders without a match: exp (default), none, floor, add-k")
      ->transform(CLI::CheckedTransformer(smoothings));
  score
      ->add_flag("--compound-split", options.compound_split,
                 "fairseq's BLEU of tokenised text: subwords joined, hyphens set apart, no smoothing")
      ->excludes(tokenize);
  score->add_flag("--lowercase", options.lowercase, "bleu and chrf of lower-cased texts");
}

void add_score_command(CLI::App& app, Arguments& a) {
  CLI::App* score = command(app, "score", "predictions of anybody's making against references, as JSON");
  score
      ->add_option(
          "METRIC", a.score.metric,
          "rouge: ROUGE-1, 2, L and Lsum as Google's rouge_score; token_f1: by SQuAD's rules, as for "
          "QASPER; bleu, chrf, chrf++: as sacreBLEU")
      ->required()
      ->check(CLI::IsMember({"rouge", "token_f1", "bleu", "chrf", "chrf++"}));
  score
      ->add_option(
          "PREDICTIONS", a.score.predictions,
          "a line each: plain, or JSON with the key prediction, predicted_answer, translation, text or "
          "output")
      ->required();
  score
      ->add_option(
          "REFERENCES", a.score.references,
          "as many lines each: plain, or JSON with reference, references, answer or answers; where all "
          "lines of all files have question_id, _id or id, that says what belongs together")
      ->required();
  static const std::map<std::string, attnlab::TextFormat> formats{{"auto", attnlab::TextFormat::automatic},
                                                                  {"plain", attnlab::TextFormat::plain},
                                                                  {"json", attnlab::TextFormat::json}};
  score
      ->add_option("--format", a.score.format,
                   "of every file; auto (default): JSON lines where the first line begins with a brace, or "
                   "all are JSON texts or lists of them")
      ->transform(CLI::CheckedTransformer(formats));
  score->add_flag("--stemmer", a.score.stemmer,
                  "words are cut to their stems, as in SQuALITY's own evaluation");
  add_translation_options(score, a.score);
  score->add_flag("--each", a.score.each,
                  "also a line of JSON for every example (bleu: of the orders that it has n-grams of)");
  score->callback([&a] { a.call = [&a] { return score_command(a.score); }; });
}

void add_other_commands(CLI::App& app, Arguments& a) {
  CLI::App* predict =
      command(app, "predict", "read texts from standard input, a line each; write JSON lines");
  predict->add_option("RUN_OR_CONFIG", a.target.config, "a run's folder, a YAML file, or a decoder's folder")
      ->required();
  predict->add_option("key=value", a.target.overrides,
                      "of a YAML file, of continuations by a decoder (attnlab explain predict), or in a "
                      "run's folder decoding.… and seed of a translator, device and threads");
  takes_index(predict, a);
  takes_continuation_flags(predict, a.target);
  predict->callback([&a] { a.call = [&a] { return predict_command(a.target, a.index); }; });

  CLI::App* doctor = command(app, "doctor", "what was found: devices, threads, libraries, data sets, disk");
  doctor->add_flag("--measure", a.measure, "also measure the rate of fp32 matrix products");
  doctor->callback([&a] { a.call = [&a] { return attnlab::doctor_command(a.measure); }; });
}

std::string version_line() {
  std::string line;
  for (const auto& [name, version] : attnlab::versions())
    line += name.substr(name.starts_with("version_") ? 8 : 0) + " " + version + ", ";
  return line + "commit " + attnlab::git_commit() + (attnlab::git_dirty() == "true" ? " (changed)" : "");
}

/// A sentence about a command that does not exist; nothing where `word` is one.
std::optional<std::string> unknown_command(const CLI::App& app, const std::string& word) {
  std::vector<std::string> names;
  for (const auto* sub : app.get_subcommands({})) names.push_back(sub->get_name());
  if (word.starts_with("-") || std::find(names.begin(), names.end(), word) != names.end())
    return std::nullopt;
  return fmt::format("there is no command '{}'{}", word, attnlab::suggestion(word, names));
}

/// The exit status of the call, with a sentence where it is thrown out of.
int guarded(const std::function<int()>& call) {
  try {
    return call();
  } catch (...) {
    const attnlab::Outcome outcome = attnlab::outcome_of(std::current_exception());
    std::fprintf(stderr, "error: %s\n", attnlab::printable(outcome.error).c_str());
    return outcome.exit_status;
  }
}

}  // namespace

int main(int argc, char** argv) {
  attnlab::prepare_process();

  CLI::App app{"attnlab: experiments on attention, from a YAML file to figures in HDF5"};
  app.set_version_flag("--version", version_line());
  app.require_subcommand(1);
  Arguments arguments;
  arguments.argv.assign(argv, argv + argc);
  add_running_commands(app, arguments);
  add_looking_commands(app, arguments);
  add_compare_command(app, arguments);
  add_tokenize_command(app, arguments);
  add_score_command(app, arguments);
  add_other_commands(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (const auto unknown = unknown_command(app, argc > 1 ? argv[1] : "-")) {
      std::fprintf(stderr, "error: %s\n", attnlab::printable(*unknown).c_str());
      return attnlab::exit_user;
    }
    return app.exit(e) == 0 ? attnlab::exit_done : attnlab::exit_user;
  }
  if (arguments.limit) arguments.target.overrides.push_back("limit=" + std::to_string(*arguments.limit));
  return guarded(arguments.call);
}
