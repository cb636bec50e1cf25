// The benchmark of causal Luna by itself: rows, figures, and that it measures memory as it says.
#include "tasks/speed/causal_speed.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/memory.h"
#include "tasks/memory_record.h"

namespace attnlab {
namespace {

CausalSpeedOptions tiny_causal() {
  CausalSpeedOptions o;
  o.forms = {"scan", "chunks", "outer_products", "softmax"};
  o.length = 256;
  o.projection_length = 8;
  o.heads = 2;
  o.head_dim = 16;
  o.thread_counts = {1, 2};
  o.repetitions = 2;
  o.product_size = 64;
  return o;
}

MemoryRecord recorded(const CausalSpeedOptions& o) {
  MemoryRecord record;
  for (const Table& t : o.tables()) record.define(t);
  o.run({}, record);
  return record;
}

TEST(CausalSpeed, WritesARowAPassAndEveryFigureThatItNames) {
  const CausalSpeedOptions o = tiny_causal();
  const MemoryRecord record = recorded(o);
  EXPECT_EQ(record.rows("/causal"), 4 * 2 * 2);
  const std::size_t quartiles = 2 * o.forms.size() * o.thread_counts.size();
  EXPECT_EQ(record.summaries.size(), o.headlines().size() + quartiles);
  for (const Headline& h : o.headlines()) EXPECT_TRUE(record.summaries.count(h.name)) << h.name;
}

TEST(CausalSpeed, WithoutTheScanNothingIsComparedWithIt) {
  CausalSpeedOptions o = tiny_causal();
  o.forms = {"chunks"};
  o.thread_counts = {0};
  const MemoryRecord record = recorded(o);
  EXPECT_TRUE(record.summaries.count("seconds_chunks"));
  EXPECT_FALSE(record.summaries.count("product_share"));
}

TEST(CausalSpeed, SizesThatDoNotFitAreNamed) {
  install_counting_allocator();
  CausalSpeedOptions o = tiny_causal();
  o.batch_size = 1 << 13;
  o.length = 1 << 24;
  o.heads = 1 << 16;
  o.head_dim = 1;
  try {
    recorded(o);
    FAIL() << "expected no memory for a tensor of 2^55 bytes";
  } catch (const OutOfMemory& e) {
    EXPECT_STREQ(e.what(),
                 "8192 text(s) of 16777216 tokens with 65536 head(s) 1 wide and 8 rows of P did not fit");
  }
}

TEST(CausalSpeed, OuterProductsHoldEveryTokensSumsAndTheScanDoesNot) {
  install_counting_allocator();
  const CausalSpeedOptions o = tiny_causal();
  const MemoryRecord record = recorded(o);
  const double sums = 4.0 * o.heads * o.length * o.projection_length * o.head_dim;
  EXPECT_GT(record.summaries.at("extra_bytes_outer_products").value, 2 * sums);
  EXPECT_LT(record.summaries.at("extra_bytes_scan").value, sums / 4);
}

}  // namespace
}  // namespace attnlab
