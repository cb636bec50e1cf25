// Arrays: what is stored is what is read, replaced as a whole, and not mixed with what older versions wrote.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/files.h"
#include "fixture.h"
#include "results/reader.h"

namespace attnlab {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using testing::ThrowsMessage;

TEST(StoredArray, ComesBackWithItsScales) {
  const TemporaryFolder folder;
  {
    const auto record = open_record(folder.path());
    record->store({"/cache/document_0/chunk_0",
                   "expiry",
                   "token",
                   "when it went",
                   {{"layer", "1", "from 0", {2}}, {"token", "1", "id", {7, 7, 9}}},
                   {5, -1, 1LL << 40}});
  }
  const auto file = folder / "run.h5";
  EXPECT_THAT(dumped(file, "/cache/document_0/chunk_0/expiry"), ElementsAre(5, -1, 1LL << 40));
  EXPECT_THAT(dumped(file, "/cache/document_0/chunk_0/layer"), ElementsAre(2));
  EXPECT_THAT(dumped(file, "/cache/document_0/chunk_0/token"), ElementsAre(7, 7, 9));
  EXPECT_THAT(output_of("h5dump -A " + file.string()),
              AllOf(HasSubstr("DIMENSION_SCALE"), HasSubstr("\"when it went\""), HasSubstr("\"token\"")));
}

TEST(StoredArray, IsCompressedWhereThatPays) {
  const TemporaryFolder folder;
  {
    const auto record = open_record(folder.path());
    record->store(array_of("/large", 1, 100'000));
    record->store(array_of("/small", 1, 10));
  }
  EXPECT_LT(std::filesystem::file_size(folder / "run.h5"), 200'000u);  // of 1.2 MB
  const auto layout = [&](const char* dataset) {
    return output_of("h5dump -pH -d " + std::string(dataset) + " " + (folder / "run.h5").string());
  };
  EXPECT_THAT(layout("/large/seen"),
              AllOf(HasSubstr("DEFLATE"), HasSubstr("CHUNKED ( 1, 100000 )"), HasSubstr("H5T_STD_I32LE")));
  EXPECT_THAT(layout("/small/seen"), AllOf(HasSubstr("CONTIGUOUS"), HasSubstr("H5T_STD_I32LE")));
}

TEST(StoredArray, IsReplacedAndNotDoubledSessionAfterSession) {
  const TemporaryFolder folder;
  const auto size_after = [&](int64_t value, std::size_t columns) {
    const auto record = open_record(folder.path());
    record->store(array_of("/arrays/a", value, columns));
    record->store(array_of("/arrays/b", value, columns));
    record->store(array_of("/arrays/a", value + 1, columns));
    record->flush();
    return std::filesystem::file_size(folder / "run.h5");
  };
  const auto first = size_after(0, 5000);
  for (int64_t session = 1; session < 10; ++session) EXPECT_LT(size_after(session, 5000), first * 11 / 10);
  size_after(20, 4000);  // another shape
  EXPECT_THAT(dumped(folder / "run.h5", "/arrays/a/seen"), AllOf(SizeIs(8000), Each(21)));
  EXPECT_THAT(dumped(folder / "run.h5", "/arrays/b/seen"), AllOf(SizeIs(8000), Each(20)));
}

TEST(StoredArray, StaysWhereTheRunIsResumed) {
  const TemporaryFolder folder;
  {
    const auto record = open_record(folder.path());
    record->store(array_of("/arrays/first", 1, 2000));
  }
  {
    const auto record = open_record(folder.path());
    record->store(array_of("/arrays/second", 2, 2000));
    EXPECT_THAT(output_of("h5dump -n " + (folder / "run.h5").string()), Not(HasSubstr("second")))
        << "it waits for the flush";
  }
  EXPECT_THAT(dumped(folder / "run.h5", "/arrays/first/seen"), AllOf(SizeIs(4000), Each(1)));
  EXPECT_THAT(dumped(folder / "run.h5", "/arrays/second/seen"), AllOf(SizeIs(4000), Each(2)));
}

TEST(StoredArray, IsNoTable) {
  const TemporaryFolder folder;
  open_record(folder.path())->store(array_of("/arrays/a", 1, 10));
  EXPECT_THAT([&] { read_table(folder / "run.h5", "/arrays/a"); },
              ThrowsMessage<UserError>(HasSubstr("run.h5 holds no table /arrays/a")));
}

TEST(StoredArray, OfOtherSizeThanItsDimensionsIsABrokenInvariant) {
  const TemporaryFolder folder;
  const auto record = open_record(folder.path());
  Array array = array_of("/arrays/a", 1, 10);
  array.values.pop_back();
  EXPECT_THROW(record->store(array), std::logic_error);
  array.values.clear();
  array.dimensions[0].at.clear();
  EXPECT_THROW(record->store(array), std::logic_error) << "no places at all";
}

/// A record as schema 1 left it, with a table where this version has arrays.
class OlderRecord : public testing::Test {
 protected:
  OlderRecord() {
    const auto record = open_record(folder_.path());
    record->define(cache_);
    record->append("/cache", std::vector<Value>{int64_t{0}, int64_t{-1}});
    record->attribute("schema_version", int64_t{1});
  }
  Value version() const { return read_run(folder_ / "run.h5").attributes.at("schema_version"); }

  const TemporaryFolder folder_;
  const Table cache_{"/cache",
                     "for how long each token was kept",
                     {{"document", Column::Type::integer, "1", "index in the set"},
                      {"expiry", Column::Type::integer, "token", "when it went"}}};
};

TEST_F(OlderRecord, IsReadAndGoneOnWithAsItIs) {
  EXPECT_EQ(read_table(folder_ / "run.h5", "/cache").at("expiry"), std::vector<Value>{int64_t{-1}});
  {
    const auto record = open_record(folder_.path());
    record->define(train_table());
    append_steps(*record, 0, 3);
  }
  EXPECT_EQ(version(), Value(int64_t{1}));
  EXPECT_EQ(read_table(folder_ / "run.h5", "/cache").at("expiry").size(), 1u);
}

TEST_F(OlderRecord, IsOfThisVersionOnceItHoldsAnArray) {
  open_record(folder_.path())->store(array_of("/arrays/a", 1, 10));
  EXPECT_EQ(version(), Value(schema_version));
}

TEST_F(OlderRecord, KeepsItsTableWhereAnArrayShouldGo) {
  const auto refusal = ThrowsMessage<UserError>(
      AllOf(HasSubstr("run.h5: /cache is a table that an older version"), HasSubstr("--fresh")));
  {
    const auto record = open_record(folder_.path());
    EXPECT_THAT([&] { record->store(array_of("/cache/document_0/chunk_0", 1, 10)); }, refusal);
    EXPECT_THAT([&] { record->store(array_of("/cache", 1, 10)); }, refusal);
    record->attribute("status", std::string("interrupted"));  // what refuses goes on to say so
  }
  EXPECT_EQ(read_run(folder_ / "run.h5").status(), "interrupted");
  EXPECT_EQ(version(), Value(int64_t{1}));
  EXPECT_EQ(read_table(folder_ / "run.h5", "/cache").at("expiry").size(), 1u);
}

}  // namespace
}  // namespace attnlab
