// What a run with record_expiry tells of the tokens that were kept, and that kills change nothing of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <thread>

#include "core/files.h"
#include "core/random.h"
#include "lab.h"
#include "mirror.h"
#include "results/reader.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr int kBooks = 800, kChunk = 64;

/// Many books, so that a run takes seconds: the story among the golden files, begun at other places.
void write_books(const Lab& lab) {
  const std::string story = read_file(ATTNLAB_SOURCE_DIR "/tests/golden/story.txt");
  for (int i = 0; i < kBooks; ++i) {
    const std::size_t at = static_cast<std::size_t>(i) % (story.size() - 500);
    lab.write("books/" + std::to_string(1000 + i) + ".txt", "\"Once.\" " + story.substr(at));
  }
}

/// TOVA and a window, all books recorded.
std::string kept_yaml(const fs::path& model) {
  return "task: perplexity\nthreads: 1\ndevice: cpu\nmodel: " + model.string() +
         "\ndata: {type: texts, path: books}\nchunks: {length: " + std::to_string(kChunk) +
         ", max_tokens: " + std::to_string(kChunk) +
         ", bos: chunk, last: drop}\nrecord_expiry: " + std::to_string(kBooks) +
         "\nsweep: {cases: [{label: tova, cache.policy: tova}, {label: window, cache.policy: window}],"
         " grid: {cache.size: [16]}}\n";
}

fs::path only_run(const fs::path& results) { return fs::directory_iterator(results / "kept")->path(); }

/// Whether the run has saved how far it came.
bool saved(const Lab& lab) {
  const fs::path runs = lab.results() / "kept";
  return fs::exists(runs) && !fs::is_empty(runs) &&
         fs::exists(only_run(lab.results()) / "checkpoint" / "perplexity.json");
}

TEST(Kept, ARunPrintsWhatWasKept) {
  ATTNLAB_FROM_MIRROR(model, "models/stories260K");
  const Lab lab;
  write_books(lab);
  lab.write("kept.yaml", kept_yaml(model));
  const Finished sweep = lab.attnlab({"sweep", "kept.yaml", "documents=3", "record_expiry=3"});
  ASSERT_EQ(sweep.status, 0) << sweep.err;
  const Finished table =
      lab.attnlab({"table", "kept.yaml", "documents=3", "record_expiry=3", "--format", "csv", "--columns",
                   "mean_life,recent_share,first_token_life,life_period"});
  ASSERT_EQ(table.status, 0) << table.err;
  // 17 (1 − 16 / 128) steps whatever is dropped; a window keeps the recent ones and the first for 17 steps.
  EXPECT_THAT(table.out, HasSubstr("14.875"));
  EXPECT_THAT(table.out, AllOf(HasSubstr("mean_life"), HasSubstr("recent_share"), HasSubstr("life_period")));
  for (const auto& run : fs::directory_iterator(lab.results() / "kept")) {
    const auto record = read_run(run.path() / "run.h5");
    const bool window = std::get<std::string>(record.attributes.at("label")).starts_with("window");
    EXPECT_DOUBLE_EQ(record.summaries.at("mean_life").value, 14.875);
    EXPECT_EQ(record.summaries.at("recent_share").value == 1, window);
    EXPECT_EQ(record.summaries.at("first_token_life").value == 17, window);
    EXPECT_FALSE(read_table(run.path() / "run.h5", "/kept/classes").empty());
  }
}

TEST(Kept, ARunKilledAtRandomMomentsEndsWithTheSameFigures) {
  ATTNLAB_FROM_MIRROR(model, "models/stories260K");
  const Lab lab;
  write_books(lab);
  lab.write("kept.yaml", kept_yaml(model));
  const Words command{"run", "kept.yaml", "--index", "0"};
  Words undisturbed = command;
  undisturbed.emplace_back("results_folder=undisturbed");
  ASSERT_EQ(lab.attnlab(undisturbed).status, 0);

  // Soon after the first book is saved, then anywhere in the rest; a fast machine may end before the second.
  Random random(20241128);
  int kills = 0;
  for (const uint64_t within : {200'000, 2'000'000}) {
    const auto process = lab.start(command);
    while (!process->ended() && !saved(lab)) std::this_thread::sleep_for(1ms);
    std::this_thread::sleep_for(std::chrono::microseconds(random.below(within)));
    process->signal(SIGKILL);
    if (process->finish().status != 128 + SIGKILL) break;
    ++kills;
  }
  EXPECT_GE(kills, 1) << "the process had ended before its kill";
  const Finished last = lab.attnlab(command);
  ASSERT_EQ(last.status, 0) << last.err;

  const fs::path a = only_run(lab.path() / "undisturbed") / "run.h5", b = only_run(lab.results()) / "run.h5";
  const std::pair<const char*, Words> compared[] = {
      {"/kept/layers", {"layer", "mean_life", "recent_share", "first_token_life"}},
      {"/kept/classes", {"class", "tokens", "mean_life"}}};
  for (const auto& [table, columns] : compared) {
    const auto left = read_table(a, table), right = read_table(b, table);
    for (const std::string& name : columns) {
      EXPECT_FALSE(left.at(name).empty()) << table << "/" << name;
      EXPECT_EQ(left.at(name), right.at(name)) << table << "/" << name;
    }
  }
  const auto expected = read_run(a).summaries, found = read_run(b).summaries;
  EXPECT_EQ(found.at("mean_life").n, kBooks);
  for (const char* name :
       {"mean_life", "recent_share", "first_token_life", "life_period", "censored_share"}) {
    EXPECT_EQ(found.at(name).value, expected.at(name).value) << name;
    EXPECT_EQ(found.at(name).standard_error, expected.at(name).standard_error) << name;
  }
}

}  // namespace
}  // namespace attnlab
