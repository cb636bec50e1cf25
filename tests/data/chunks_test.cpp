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

TEST(Chunks, MayOverlapAndScoreWhatIsNew) {
  ChunkingOptions options = chunking(6, BosPolicy::none);
  options.stride = 2;
  const auto chunks = plan_chunks(11, options);
  EXPECT_THAT(chunks, ElementsAre(Chunk{0, 6, false, 0}, Chunk{2, 8, false, 6}, Chunk{4, 10, false, 8},
                                  Chunk{6, 11, false, 10}));
  EXPECT_EQ(chunks[0].unscored(), 0);
  EXPECT_EQ(chunks[1].unscored(), 3) << "the losses of tokens 3, 4 and 5";
  EXPECT_EQ(chunks[1].scored(), 2);
  EXPECT_EQ(chunks[3].scored(), 1);
  options.bos = BosPolicy::chunk;
  EXPECT_EQ(plan_chunks(11, options)[1], (Chunk{2, 7, true, 5}));
  EXPECT_EQ(plan_chunks(11, options)[1].unscored(), 3) << "of tokens 2, 3 and 4";
}

TEST(Chunks, ScoreEveryTokenOnceWhateverTheirStride) {
  Random random(2);
  for (int trial = 0; trial < 500; ++trial) {
    ChunkingOptions options =
        chunking(static_cast<int64_t>(3 + random.below(40)), static_cast<BosPolicy>(random.below(3)));
    options.stride = static_cast<int64_t>(1 + random.below(static_cast<uint64_t>(options.length - 1)));
    if (options.bos == BosPolicy::document) options.stride = std::max<int64_t>(1, options.stride - 1);
    const auto tokens = static_cast<int64_t>(2 + random.below(200));
    int64_t next = options.bos == BosPolicy::none ? 1 : 0;
    for (const Chunk& chunk : plan_chunks(tokens, options)) {
      EXPECT_LE(chunk.length(), options.length);
      EXPECT_EQ(chunk.first_scored(), next);
      next = chunk.end;
    }
    EXPECT_EQ(next, tokens);
  }
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
