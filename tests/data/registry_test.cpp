#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/sequences.h"
#include "data/temporary.h"

namespace attnlab {
namespace {

TEST(DataRegistry, MakesEachDataSetByName) {
  for (const char* name : {"imdb", "listops"}) {
    const Choice<SequenceDataOptions> data(name);
    EXPECT_EQ(data.name(), name);
    EXPECT_GE(data->class_names().size(), 2u);
    EXPECT_GE(data->symbol_count(), 2);
    EXPECT_LE(data->symbol_count(), 256);
  }
  EXPECT_FALSE(Choice<SequenceDataOptions>().select("imbd"));
}

TEST(Splits, HaveTheNamesOfTheResultTables) {
  EXPECT_EQ(name_of(Split::train), "train");
  EXPECT_EQ(name_of(Split::validation), "validation");
  EXPECT_EQ(name_of(Split::test), "test");
}

}  // namespace
}  // namespace attnlab
