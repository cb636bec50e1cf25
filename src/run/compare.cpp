// attnlab compare: two runs beside each other.
#include <fmt/format.h>

#include "core/error.h"
#include "core/output.h"
#include "results/run_folder.h"
#include "run/commands.h"
#include "tables/record_places.h"
#include "tables/side_by_side.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

/// The only run at the place, with a record that can be read.
RunState only_run(const fs::path& place) {
  const std::vector<fs::path> records = records_in(place);
  if (records.size() > 1)
    user_error("{} holds {} runs: name the folder of one", place.string(), records.size());
  RunState state = state_of_record(records.front());
  if (!state.record) state.record = read_run(records.front());  // says why not
  return state;
}

std::string line_of(const char* name, const fs::path& place, const RunState& run) {
  const auto which = run.record->attribute<std::string>("case");
  return fmt::format("{}: {}{}, {}\n", name, place.string(), which.empty() ? "" : " (" + which + ")",
                     run.status);
}

}  // namespace

int compare_command(const fs::path& place_a, const fs::path& place_b) {
  const RunState a = only_run(place_a), b = only_run(place_b);
  const TextTable pairs = paired(records_in(place_a).front(), records_in(place_b).front());
  const TextTable what = differences(*a.record, *b.record), came_of_it = figures_beside(*a.record, *b.record);
  std::string text = line_of("a", place_a, a) + line_of("b", place_b, b) + "\n";
  text += what.rows.empty() ? "They differ in no option, program or machine.\n" : render(what, "text");
  if (!came_of_it.rows.empty())
    text += "\n" + render(came_of_it, "text") +
            "\n± standard error. *: more than two standard errors of the difference apart, taken as "
            "independent.\n";
  if (!pairs.rows.empty())
    text += "\n" + render(pairs, "text") +
            "\nOver the same questions, examples or documents: ± standard error of the mean difference over "
            "them, of perplexities of the\ngeometric mean of ratios. McNemar's p, exact: of a difference as "
            "large where both are as often right.\n";
  print_output(text);
  return 0;
}

}  // namespace attnlab
