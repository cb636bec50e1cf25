#include "run/commands.h"

#include <unistd.h>
#include <ext/stdio_filebuf.h>

#include <iostream>

#include "config/explain.h"
#include "core/error.h"
#include "core/log.h"
#include "core/output.h"
#include "io/hf_config.h"
#include "io/not_a_model.h"
#include "run/continue_texts.h"
#include "run/device.h"
#include "run/exit.h"
#include "run/life.h"
#include "run/plan.h"
#include "run/several.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

/// The keys of continuations, which stand in no configuration file, as one section to explain.
struct PredictKeys {
  ContinueOptions options;
  void visit(Fields& f) {
    f("predict", options,
      "`attnlab predict FOLDER key=value …` continues texts with a pre-trained decoder. Its keys are "
      "given there without `predict.`, and stand in no configuration file");
  }
};

/// A folder that is neither a run's nor a model's, and a file that is no configuration, get a sentence of
/// what they are where that can be told.
void refuse_what_is_no_run(const fs::path& path) {
  std::error_code none;  // of a name that is no folder's
  if (fs::exists(path / "config.yaml", none)) return;
  if (const auto mistake = mistaken_for_model(path)) throw UserError(*mistake);
}

/// What made a run's weights stands; how they are used now is open.
void refuse_what_stands(const Target& target, std::optional<int64_t> index) {
  const std::string folder = target.config.string();
  if (index) user_error("{} is the folder of a run, not of a sweep: no --index", folder);
  for (const std::string& one : target.overrides)
    if (!one.starts_with("decoding.") && !one.starts_with("seed=") && !one.starts_with("device=") &&
        !one.starts_with("threads="))
      user_error(
          "{} is the folder of a run, whose configuration stands: '{}' sets neither decoding.… nor "
          "seed, device or threads",
          folder, one);
}

/// Lines that could not be answered are mistakes of their writer, which all others were answered beside.
int status_of(int64_t refused) {
  if (refused == 0) return exit_done;
  log_info("{} {} could not be answered and {} an error in place of an answer", refused,
           refused == 1 ? "line" : "lines", refused == 1 ? "has" : "have");
  return exit_user;
}

}  // namespace

int run_command(const Target& target, const RunCommandOptions& options,
                const std::vector<std::string>& argv) {
  return as_one_of_several([&](Ranks& ranks) {
    const PlannedRun run = plan_run(target.config, target.overrides, options.index);
    if (!options.id.empty() && options.id != run.id)
      user_error("{} has changed: it describes run {} here, and {} was to be done", target.config.string(),
                 run.id, options.id);
    return live(run, {options.fresh, argv}, ranks);
  });
}

int show_command(const Target& target, std::optional<int64_t> index) {
  print_output(plan_run(target.config, target.overrides, index).yaml);
  return 0;
}

int explain_command(const std::string& component) {
  std::vector<Described> all = describe(RunOptions{});
  for (Described& keys : describe(PredictKeys{})) all.push_back(std::move(keys));
  print_output(explain(all, component));
  return 0;
}

int reference_command() {
  print_output(reference_page(describe(RunOptions{})) + reference_part(describe(PredictKeys{}).front()));
  return 0;
}

int predict_command(const Target& target, std::optional<int64_t> index) {
  // By its descriptor: std::cin, which keeps in step with stdio, cannot say whether more is waiting.
  __gnu_cxx::stdio_filebuf<char> bytes(STDIN_FILENO, std::ios::in);
  std::istream in(&bytes);
  if (is_hf_folder(target.config)) {
    if (index) user_error("{} is the folder of a model, not of a sweep: no --index", target.config.string());
    return status_of(continue_texts(target.config, target.overrides, in, std::cout));
  }
  refuse_what_is_no_run(target.config);
  const bool folder = fs::is_directory(target.config);
  if (folder) refuse_what_stands(target, index);
  const PlannedRun run = folder ? planned_from_folder(target.config, target.overrides)
                                : plan_run(target.config, target.overrides, index);
  if (!fs::exists(run.folder))
    user_error("there is nothing to predict with: {} has not been run (its folder would be {})",
               target.config.string(), run.folder.string());
  const RunContext context = context_of(run, choose_device(run.options.device));
  set_threads(run.options.threads);
  const int64_t refused = run.options.task->predict(context, in, std::cout);
  flush_output(std::cout);
  return status_of(refused);
}

}  // namespace attnlab
