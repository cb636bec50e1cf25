#include "tasks/translation/pair_batches.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <sstream>

#include "core/error.h"
#include "core/files.h"
#include "io/checkpoint.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

double padding_share_of(const PairLengths& lengths, const std::vector<std::vector<int64_t>>& batches) {
  int64_t tokens = 0, places = 0;
  for (const auto& batch : batches) {
    int64_t source = 0, target = 0;
    for (const int64_t i : batch) {
      const int64_t s = lengths.source[static_cast<std::size_t>(i)],
                    t = lengths.target[static_cast<std::size_t>(i)];
      source = std::max(source, s);
      target = std::max(target, t);
      tokens += s + t;
    }
    places += std::ssize(batch) * (source + target);
  }
  return 1.0 - static_cast<double>(tokens) / static_cast<double>(places);
}

fs::path cut_file(const fs::path& folder) { return folder / "checkpoint" / "batches_cut.txt"; }

/// What a run's folder says of its batches: a line of the hash, and one of where each epoch began.
struct RememberedCut {
  std::string hash;
  std::vector<int64_t> starts;
};

RememberedCut remembered_cut(const fs::path& file) {
  std::istringstream text(read_file(file));
  RememberedCut found;
  text >> found.hash;
  for (int64_t start = 0; text >> start;) found.starts.push_back(start);
  return found;
}

bool rise_from_zero(const std::vector<int64_t>& starts) {
  return !starts.empty() && starts[0] == 0 &&
         std::ranges::adjacent_find(starts, std::greater_equal{}) == starts.end();
}

/// Where each epoch began as far as the run in `folder` has come: a plan of millions of pairs takes seconds,
/// and a run has a hundred. {0} where nothing is remembered of batches that `cut` names. Throws where the run
/// has a checkpoint of other batches.
std::vector<int64_t> starts_to_resume(const fs::path& folder, const std::string& cut) {
  const fs::path file = cut_file(folder);
  const bool resumes = fs::exists(last_checkpoint(folder));
  if (!fs::exists(file)) {
    if (resumes)
      user_error("{} is gone, which says how its checkpoint's batches were cut; start over with --fresh",
                 file.string());
    return {0};
  }
  RememberedCut remembered = remembered_cut(file);
  const bool same = remembered.hash == cut;
  if (!same && resumes)
    user_error(
        "{}: its checkpoint's batches were cut from other pairs or by other rules; start over with --fresh",
        folder.string());
  if (same && rise_from_zero(remembered.starts)) return std::move(remembered.starts);
  return {0};
}

}  // namespace

PairBatches::PairBatches(const SentencePairs& pairs, const PairBatchingOptions& options, uint64_t seed,
                         const fs::path& folder)
    : lengths_(lengths_of(pairs)),
      options_(options),
      seed_(seed),
      folder_(folder),
      cut_(cut_hash(pairs, options, seed)),
      starts_(starts_to_resume(folder, cut_)) {
  plan(0);
  if (plan_.empty()) user_error("data: no training pair is left to make a batch of");
  padding_share_ = padding_share_of(lengths_, plan_);
}

void PairBatches::remember_cut() {
  remembers_ = true;
  write_cut();
}

void PairBatches::write_cut() const {
  fs::create_directories(cut_file(folder_).parent_path());
  write_atomically(cut_file(folder_), fmt::format("{}\n{}\n", cut_, fmt::join(starts_, " ")));
}

void PairBatches::plan(int64_t epoch) {
  PairPlan made = plan_pairs(lengths_, options_, seed_, epoch);
  plan_ = std::move(made.batches);
  left_out_ = made.left_out;
  planned_ = epoch;
  if (std::ssize(starts_) != epoch + 1) return;
  starts_.push_back(starts_.back() + std::ssize(plan_));
  if (remembers_) write_cut();
}

const std::vector<int64_t>& PairBatches::members(int64_t m) {
  while (m >= starts_.back()) plan(std::ssize(starts_) - 1);
  const int64_t epoch = std::upper_bound(starts_.begin(), starts_.end(), m) - starts_.begin() - 1;
  if (epoch != planned_) plan(epoch);
  return plan_[static_cast<std::size_t>(m - starts_[static_cast<std::size_t>(epoch)])];
}

}  // namespace attnlab
