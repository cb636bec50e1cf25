// Cutting documents into chunks. Every token belongs to one chunk, and is scored unless nothing precedes it.
#include "data/chunks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/random.h"

namespace attnlab {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

ChunkingOptions chunking(int64_t length, BosPolicy bos, LastChunk last = LastChunk::keep) {
  ChunkingOptions options;
  options.length = length;
  options.bos = bos;
  options.last = last;
  return options;
}

TEST(Chunks, AreAsLongAsAskedForWithTheirBos) {
  EXPECT_THAT(plan_chunks(10, chunking(4, BosPolicy::chunk)),
              ElementsAre(Chunk{0, 3, true}, Chunk{3, 6, true}, Chunk{6, 9, true}, Chunk{9, 10, true}));
  EXPECT_THAT(plan_chunks(10, chunking(4, BosPolicy::document)),
              ElementsAre(Chunk{0, 3, true}, Chunk{3, 7, false}, Chunk{7, 10, false}));
  EXPECT_THAT(plan_chunks(10, chunking(4, BosPolicy::none)),
              ElementsAre(Chunk{0, 4, false}, Chunk{4, 8, false}, Chunk{8, 10, false}));
}

TEST(Chunks, ScoreEveryTokenThatSomethingPrecedes) {
  EXPECT_EQ((Chunk{3, 6, true}.scored()), 3);
  EXPECT_EQ((Chunk{3, 6, false}.scored()), 2);
}

TEST(Chunks, DropAShorterLastOneWhereAsked) {
  EXPECT_THAT(plan_chunks(10, chunking(4, BosPolicy::none, LastChunk::drop)),
              ElementsAre(Chunk{0, 4, false}, Chunk{4, 8, false}));
  EXPECT_EQ(plan_chunks(8, chunking(4, BosPolicy::none, LastChunk::drop)).size(), 2U);
  EXPECT_THAT(plan_chunks(3, chunking(4, BosPolicy::none, LastChunk::drop)), IsEmpty());
}

TEST(Chunks, LeaveOutOneThatCannotBeScored) {
  EXPECT_EQ(plan_chunks(5, chunking(4, BosPolicy::none)).size(), 1U);   // the fifth token has no predecessor
  EXPECT_EQ(plan_chunks(4, chunking(4, BosPolicy::chunk)).size(), 2U);  // the fourth has a BOS
}

TEST(Chunks, StopAfterTheMostTokens) {
  ChunkingOptions options = chunking(4, BosPolicy::chunk);
  options.max_tokens = 5;
  EXPECT_THAT(plan_chunks(1000, options), ElementsAre(Chunk{0, 3, true}, Chunk{3, 5, true}));
}

TEST(Chunks, LeaveOutShortDocuments) {
  ChunkingOptions options = chunking(8, BosPolicy::chunk);
  options.min_tokens = 5;
  EXPECT_THAT(plan_chunks(4, options), IsEmpty());
  EXPECT_EQ(plan_chunks(5, options).size(), 1U);
}

TEST(Chunks, CoverEveryTokenOnce) {
  Random random(1);
  for (int trial = 0; trial < 500; ++trial) {
    const auto bos = static_cast<BosPolicy>(random.below(3));
    const auto tokens = static_cast<int64_t>(2 + random.below(200));
    const ChunkingOptions options = chunking(static_cast<int64_t>(2 + random.below(40)), bos);
    int64_t end = 0;
    for (const Chunk& chunk : plan_chunks(tokens, options)) {
      EXPECT_EQ(chunk.begin, end);
      EXPECT_LE(chunk.length(), options.length);
      EXPECT_GT(chunk.scored(), 0);
      end = chunk.end;
    }
    EXPECT_GE(end, bos == BosPolicy::chunk ? tokens : tokens - 1);
  }
}

}  // namespace
}  // namespace attnlab
