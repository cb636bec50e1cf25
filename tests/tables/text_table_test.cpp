// Tables of words and numbers as people read them.
#include "tables/text_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tables/numbers.h"

namespace attnlab {
namespace {

using testing::HasSubstr;

const TextTable kTable{{"name", "value"}, {{"a|b", "1 ± 2"}, {"50%, \"so\"", "3"}}};

TEST(TextTable, TextIsAlignedByCharactersNotBytes) {
  EXPECT_EQ(render({{"x", "y"}, {{"±", "1"}, {"ab", "2"}}}, "text"), "x   y\n±   1\nab  2\n");
}

TEST(TextTable, NumbersStandUnderTheirDecimalPoints) {
  const TextTable table{
      {"name", "value [s]", "notes"},
      {{"a", "1676", "x"}, {"b", "0.734", ""}, {"c", "", "y"}, {"d", "65.5 ± 1.1 (se)", ""}},
      {false, true, false}};
  EXPECT_EQ(render(table, "text"),
            "name          value [s]  notes\n"
            "a     1676               x\n"
            "b        0.734\n"
            "c                        y\n"
            "d       65.5 ± 1.1 (se)\n");
  EXPECT_THAT(render(table, "markdown"), HasSubstr("\n| ---- | ----------------: | ----- |\n"));
  EXPECT_THAT(render(table, "latex"), HasSubstr("\\begin{tabular}{lrl}\n"));
}

TEST(TextTable, ALongCellIsNotWrapped) {
  const std::string reason(300, 'x');
  EXPECT_EQ(render({{"a", "b"}, {{"1", reason}}}, "text"), "a  b\n1  " + reason + "\n");
}

TEST(TextTable, MarkdownEscapesItsBars) {
  EXPECT_THAT(render(kTable, "markdown"), HasSubstr("| a\\|b "));
  EXPECT_THAT(render(kTable, "markdown"), HasSubstr("\n| ---"));
}

TEST(TextTable, CsvQuotesAsRfc4180Says) {
  EXPECT_EQ(render(kTable, "csv"), "name,value\na|b,1 ± 2\n\"50%, \"\"so\"\"\",3\n");
}

TEST(TextTable, LatexEscapesItsSpecialCharacters) {
  const std::string text = render(kTable, "latex");
  EXPECT_THAT(text, HasSubstr("50\\%, \"so\" & 3 \\\\"));
  EXPECT_THAT(text, HasSubstr("1 $\\pm$ 2"));
}

TEST(Numbers, HaveTheDecimalsOfTheirUncertainty) {
  EXPECT_EQ(with_uncertainty(0.64231, 0.0107), "0.642 ± 0.011");
  EXPECT_EQ(with_uncertainty(65.7412, 1.26), "65.7 ± 1.3");
  EXPECT_EQ(with_uncertainty(0.64231, 0), "0.6423");
  EXPECT_EQ(number(5312768), "5312768");
  EXPECT_EQ(number(15118.4), "15118");
}

TEST(Numbers, KeepTheirSignificantDigits) {
  EXPECT_EQ(significant(0.73418, 3), "0.734");
  EXPECT_EQ(significant(1.2, 3), "1.20");
  EXPECT_EQ(significant(86.31, 3), "86.3");
  EXPECT_EQ(significant(1676.4, 3), "1676");
  EXPECT_EQ(significant(0.00012345, 3), "0.000123");
  EXPECT_EQ(significant(0, 3), "0");
}

TEST(Units, OfMemoryAndRatesAreThoseThatPeopleRead) {
  EXPECT_EQ(for_people("byte").unit, "MiB");
  EXPECT_DOUBLE_EQ(3 * 1048576 * for_people("byte").factor, 3);
  EXPECT_EQ(for_people("FLOP/s").unit, "GFLOP/s");
  EXPECT_DOUBLE_EQ(97e9 * for_people("FLOP/s").factor, 97);
  EXPECT_EQ(for_people("byte/s").unit, "GB/s");
  EXPECT_EQ(for_people("s").unit, "s");
}

}  // namespace
}  // namespace attnlab
