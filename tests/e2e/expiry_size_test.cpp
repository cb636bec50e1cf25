// What record_expiry adds to a run's folder.
#include <gtest/gtest.h>

#include "core/random.h"
#include "lab.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

constexpr int kChunks = 4, kTokens = 512, kLayers = 2;

/// Documents of ids, one chunk each, for the tiny decoder among the golden files.
std::string chunks_of_ids() {
  Random random(1);
  std::string lines;
  for (int chunk = 0; chunk < kChunks; ++chunk)
    for (int i = 0; i < kTokens; ++i)
      lines += (i ? ", " : "[") + std::to_string(random.below(40)) + (i + 1 < kTokens ? "" : "]\n");
  return lines;
}

struct Sizes {
  int64_t record, twin;
};

Sizes sizes_of_run(const Lab& lab, const std::string& name, int record_expiry) {
  lab.write(name + ".yaml", "task: perplexity\nthreads: 1\ndevice: cpu\nmodel: " ATTNLAB_SOURCE_DIR
                            "/tests/golden/decoders/llama\npast_training: true\n"
                            "data: {type: token_lines, path: chunks.jsonl}\n"
                            "cache: {policy: tova, size: 64}\nrecord_expiry: " +
                                std::to_string(record_expiry) + "\n");
  const Finished run = lab.attnlab({"run", name + ".yaml"});
  EXPECT_EQ(run.status, 0) << run.err;
  const fs::path folder = lab.run_folder(name);
  return {static_cast<int64_t>(fs::file_size(folder / "run.h5")),
          static_cast<int64_t>(fs::file_size(folder / "metrics.jsonl"))};
}

TEST(Expiry, TakesRoomForTheNumbersAndALineAnArray) {
  const Lab lab;
  lab.write("chunks.jsonl", chunks_of_ids());
  // The tables of what was kept are in both.
  const Sizes one = sizes_of_run(lab, "one", 1), all = sizes_of_run(lab, "all", kChunks);
  constexpr int more = kChunks - 1;
  // HDF5 needs up to 8 KB for an array with its scales. Deflated, a number takes between one byte and two.
  EXPECT_LT(all.record - one.record, more * (8000 + kLayers * kTokens * 2 + kTokens * 4));
  EXPECT_GT(all.record - one.record, more * kLayers * kTokens / 2);  // they are there
  EXPECT_LT(all.twin - one.twin, more * 1000);
}

}  // namespace
}  // namespace attnlab
