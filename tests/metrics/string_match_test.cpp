// RULER's score of answers against its formula in Python (tests/golden/make_string_match.py).
#include "metrics/string_match.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

namespace attnlab {
namespace {

TEST(StringMatch, EqualsTheReference) {
  const auto golden =
      nlohmann::json::parse(std::ifstream(ATTNLAB_SOURCE_DIR "/tests/golden/string_match.json"));
  ASSERT_GT(golden.size(), 3000u);
  for (const auto& one : golden)
    EXPECT_NEAR(string_match_all(one[0].get<std::string>(), one[1].get<std::vector<std::string>>()),
                one[2].get<double>(), 1e-8)
        << one;
}

TEST(StringMatch, IsTheShareThatIsFound) {
  const std::vector<std::string> references{"1234567", "7654321", "Heron"};
  EXPECT_DOUBLE_EQ(string_match_all("They are 1234567 and heron.", references), 2.0 / 3);
  EXPECT_EQ(string_match_all("", references), 0.0);
  EXPECT_EQ(string_match_all("123 4567, 7654 321", references), 0.0);
  EXPECT_EQ(string_match_all("76543211234567HERON", references), 1.0);
}

}  // namespace
}  // namespace attnlab
