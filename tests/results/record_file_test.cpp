// What is written is what is read, by our own reader and by HDF5's own h5dump.
#include "results/record_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "fixture.h"
#include "results/reader.h"

namespace attnlab {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

void expect_steps(const std::filesystem::path& file, int64_t steps) {
  const auto table = read_table(file, "/train");
  ASSERT_EQ(table.at("step").size(), static_cast<std::size_t>(steps));
  for (int64_t i = 0; i < steps; ++i) {
    const auto row = train_row(i);
    ASSERT_EQ(table.at("step")[i], row[0]);
    ASSERT_EQ(table.at("loss")[i], row[1]);
    ASSERT_EQ(table.at("note")[i], row[2]);
  }
}

TEST(RecordFile, RowsOfEveryTypeComeBack) {
  const TemporaryFolder folder;
  write_record(folder.path(), 2500);  // more than two chunks
  expect_steps(folder / "run.h5", 2500);
}

TEST(RecordFile, ManyFlushesGiveTheSameRowsAsOne) {
  const TemporaryFolder folder;
  {
    const auto record = open_record(folder.path());
    record->define(train_table());
    for (int64_t step = 0; step < 1100; ++step) {
      record->append("/train", train_row(step));
      if (step % 7 == 0) record->flush();
    }
  }
  expect_steps(folder / "run.h5", 1100);
}

TEST(RecordFile, AttributesAndFiguresComeBackAndCanBeReplaced) {
  const TemporaryFolder folder;
  {
    const auto record = open_record(folder.path());
    record->attribute("status", std::string("running"));
    record->attribute("seed", int64_t{7});
    record->attribute("seconds", 1.25);
    record->summarise({"accuracy", 0.5, "1", "first guess", Summary::Better::higher, 10, 0.16});
    record->flush();
    record->summarise({"accuracy", 0.625, "1", "accuracy on test", Summary::Better::higher, 2000, 0.0108});
    record->summarise(
        {"parameters", 123456, "1", "trainable numbers", Summary::Better::neither, 1, std::nan("")});
    record->attribute("seconds", int64_t{2});  // another type
    record->attribute("status", std::string("done"));
  }
  const RunRecord run = read_run(folder / "run.h5");
  EXPECT_EQ(run.status(), "done");
  EXPECT_EQ(run.attributes.at("seed"), Value(int64_t{7}));
  EXPECT_EQ(run.attributes.at("seconds"), Value(int64_t{2}));
  EXPECT_EQ(run.attributes.at("schema_version"), Value(schema_version));
  const Summary& accuracy = run.summaries.at("accuracy");
  EXPECT_EQ(accuracy.value, 0.625);
  EXPECT_EQ(accuracy.meaning, "accuracy on test");
  EXPECT_EQ(accuracy.unit, "1");
  EXPECT_EQ(accuracy.better, Summary::Better::higher);
  EXPECT_EQ(accuracy.n, 2000);
  EXPECT_EQ(accuracy.standard_error, 0.0108);
  EXPECT_TRUE(std::isnan(run.summaries.at("parameters").standard_error));
}

TEST(RecordFile, KeepsUnusualNumbersAndTexts) {
  const TemporaryFolder folder;
  const double infinity = std::numeric_limits<double>::infinity();
  const int64_t big = std::numeric_limits<int64_t>::max();
  {
    const auto record = open_record(folder.path());
    record->define(train_table());
    record->append("/train", std::vector<Value>{big, infinity, std::string("naïve \xF0\x9F\x99\x82")});
    record->append("/train", std::vector<Value>{-big, std::nan(""), std::string("")});
    record->append("/train", std::vector<Value>{int64_t{0}, 5e-324, std::string("a\0b\xFF", 4)});
    record->append("/train", std::vector<Value>{int64_t{1}, int64_t{3}, std::string(100000, 'x')});
    record->attribute("error", std::string(200000, 'y'));  // longer than HDF5's 64 KiB for plain attributes
  }
  const auto table = read_table(folder / "run.h5", "/train");
  EXPECT_THAT(table.at("step"), ElementsAre(big, -big, int64_t{0}, int64_t{1}));
  EXPECT_EQ(table.at("loss")[0], Value(infinity));
  EXPECT_TRUE(std::isnan(std::get<double>(table.at("loss")[1])));
  EXPECT_EQ(table.at("loss")[2], Value(5e-324));
  EXPECT_EQ(table.at("loss")[3], Value(3.0)) << "an integer is welcome in a real column";
  EXPECT_EQ(table.at("note")[0], Value(std::string("naïve \xF0\x9F\x99\x82")));
  EXPECT_EQ(table.at("note")[1], Value(std::string("")));
  EXPECT_EQ(table.at("note")[2], Value(std::string("a\xEF\xBF\xBD"
                                                   "b\xEF\xBF\xBD")))
      << "U+FFFD for NUL and non-UTF-8";
  EXPECT_EQ(table.at("note")[3], Value(std::string(100000, 'x')));
  EXPECT_EQ(read_run(folder / "run.h5").attributes.at("error"), Value(std::string(200000, 'y')));
}

TEST(RecordFile, H5dumpShowsUnitsScalesAndColumnsInTheirOrder) {
  const TemporaryFolder folder;
  {
    const auto record = open_record(folder.path());
    record->define(train_table());
    record->define(test_table());
    record->append("/eval/test", std::vector<Value>{int64_t{0}, std::string("pos/12_8.txt"), int64_t{1}});
  }
  const std::string file = (folder / "run.h5").string();
  const std::string dump = output_of("h5dump -q creation_order " + file);
  EXPECT_THAT(dump, HasSubstr("\"DIMENSION_SCALE\""));
  EXPECT_THAT(dump, HasSubstr("\"DIMENSION_LIST\""));
  EXPECT_THAT(dump, HasSubstr("(0): \"nat\""));
  EXPECT_THAT(dump, HasSubstr("(0): \"mean training loss\""));
  EXPECT_THAT(dump, HasSubstr("\"pos/12_8.txt\""));
  EXPECT_LT(dump.find("DATASET \"step\""), dump.find("DATASET \"loss\""));
  EXPECT_LT(dump.find("DATASET \"loss\""), dump.find("DATASET \"note\""));
}

TEST(RecordFile, IsInTheFormatThatOldReadersOpen) {
  const TemporaryFolder folder;
  write_record(folder.path(), 3);
  EXPECT_THAT(output_of("h5dump -B " + (folder / "run.h5").string()), HasSubstr("SUPERBLOCK_VERSION 0"));
}

TEST(RecordFile, TakesNoMoreDiskThanItsContent) {
  const TemporaryFolder folder;
  write_record(folder.path(), 10);
  const std::string text = output_of("h5stat -S " + (folder / "run.h5").string());
  EXPECT_THAT(text,
              HasSubstr("Total space: " + std::to_string(std::filesystem::file_size(folder / "run.h5"))));
}

TEST(RecordFile, CountsOnlyFlushedRows) {
  const TemporaryFolder folder;
  const auto record = open_record(folder.path());
  record->define(train_table());
  append_steps(*record, 0, 5);
  EXPECT_EQ(record->rows("/train"), 0);
  record->flush();
  EXPECT_EQ(record->rows("/train"), 5);
  append_steps(*record, 5, 6);
  EXPECT_EQ(record->rows("/train"), 5);
}

TEST(RecordFile, CanBeReadWhileItIsWritten) {
  const TemporaryFolder folder;
  const auto record = open_record(folder.path());
  record->define(train_table());
  EXPECT_FALSE(std::filesystem::exists(folder / "run.h5")) << "it appears with its first flush, complete";
  append_steps(*record, 0, 5);
  record->flush();
  expect_steps(folder / "run.h5", 5);
  append_steps(*record, 5, 9);
  expect_steps(folder / "run.h5", 5);
}

TEST(RecordFile, ResumesWithItsRows) {
  const TemporaryFolder folder;
  write_record(folder.path(), 5);
  {
    const auto record = open_record(folder.path());
    record->define(train_table());
    EXPECT_EQ(record->rows("/train"), 5);
    append_steps(*record, 5, 9);
    record->define(test_table());  // a table that the first session did not have
    record->append("/eval/test", std::vector<Value>{int64_t{0}, std::string("a"), int64_t{1}});
  }
  expect_steps(folder / "run.h5", 9);
  EXPECT_EQ(read_table(folder / "run.h5", "/eval/test").at("id").size(), 1u);
}

class Truncation : public testing::TestWithParam<int64_t> {};

TEST_P(Truncation, ForgetsRowsFlushedOrNot) {
  const int64_t kept = GetParam();
  const TemporaryFolder folder;
  {
    const auto record = open_record(folder.path());
    record->define(train_table());
    append_steps(*record, 0, 1500);
    record->flush();
    append_steps(*record, 1500, 1600);
    record->truncate("/train", kept);
    EXPECT_EQ(record->rows("/train"), kept);
    append_steps(*record, kept, 1700);
  }
  expect_steps(folder / "run.h5", 1700);
}

INSTANTIATE_TEST_SUITE_P(Rows, Truncation, testing::Values(0, 1, 1024, 1499, 1500, 1550));

TEST(RecordFile, WrongUseIsABrokenInvariant) {
  const TemporaryFolder folder;
  const auto record = open_record(folder.path());
  record->define(train_table());
  EXPECT_THROW(record->append("/eval/test", train_row(0)), std::logic_error) << "never defined";
  EXPECT_THROW(record->append("/train", std::vector<Value>{int64_t{1}}), std::logic_error)
      << "too few values";
  EXPECT_THROW(record->append("/train", std::vector<Value>{1.5, 1.5, std::string()}), std::logic_error);
  EXPECT_THROW(record->append("/train", std::vector<Value>{int64_t{1}, std::string(), std::string()}),
               std::logic_error);
  EXPECT_THROW(record->define(train_table()), std::logic_error) << "defined twice";
  append_steps(*record, 0, 3);
  record->flush();
  expect_steps(folder / "run.h5", 3);
}

}  // namespace
}  // namespace attnlab
