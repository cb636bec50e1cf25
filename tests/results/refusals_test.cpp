// Files that are not ours, not whole or not for us: a sentence, and the file as it was.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "core/error.h"
#include "core/files.h"
#include "fixture.h"
#include "results/reader.h"

namespace attnlab {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

/// Both the writer and the reader must refuse, with the same words, and leave run.h5 and its twin alone.
template <class Error, class Matcher>
void expect_refusal(const TemporaryFolder& folder, const Matcher& words) {
  const std::string before = sha256(read_file(folder / "run.h5"));
  EXPECT_THAT([&] { open_record(folder.path()); }, ThrowsMessage<Error>(words));
  EXPECT_THAT([&] { read_run(folder / "run.h5"); }, ThrowsMessage<Error>(words));
  EXPECT_EQ(sha256(read_file(folder / "run.h5")), before);
}

TEST(Refusals, ARecordOfANewerSchema) {
  const TemporaryFolder folder;
  {
    const auto record = open_record(folder.path());
    record->attribute("schema_version", schema_version + 1);
  }
  const std::string twin = read_file(folder / "metrics.jsonl");
  expect_refusal<UserError>(folder, AllOf(HasSubstr("run.h5 has schema version 3"),
                                          HasSubstr("newer attnlab"), HasSubstr("reads up to 2")));
  EXPECT_EQ(read_file(folder / "metrics.jsonl"), twin);
}

TEST(Refusals, AFileOfAnotherKind) {
  const TemporaryFolder folder;
  std::ofstream(folder / "run.h5") << "step,loss\n1,0.5\n";
  expect_refusal<UserError>(folder, HasSubstr("run.h5 is no HDF5 file"));
  EXPECT_FALSE(std::filesystem::exists(folder / "metrics.jsonl"));
}

TEST(Refusals, WhatGitLfsLeavesInPlaceOfARecord) {
  const TemporaryFolder folder;
  std::ofstream(folder / "run.h5") << "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n";
  EXPECT_THAT([&] { read_run(folder / "run.h5"); }, ThrowsMessage<UserError>(HasSubstr("`git lfs pull`")));
}

TEST(Refusals, AnEmptyFile) {
  const TemporaryFolder folder;
  std::ofstream(folder / "run.h5").close();
  expect_refusal<UserError>(folder, HasSubstr("run.h5 is no HDF5 file"));
}

TEST(Refusals, ARecordCutShort) {
  const TemporaryFolder folder;
  write_record(folder.path(), 3);
  std::filesystem::resize_file(folder / "run.h5", std::filesystem::file_size(folder / "run.h5") / 2);
  expect_refusal<UserError>(folder, HasSubstr("run.h5 was cut short"));
}

TEST(Refusals, AMissingFileAndAMissingTable) {
  const TemporaryFolder folder;
  EXPECT_THAT([&] { read_run(folder / "run.h5"); }, ThrowsMessage<UserError>(HasSubstr("there is no file")));
  EXPECT_THAT([&] { read_run(folder.path()); }, ThrowsMessage<UserError>(HasSubstr("is a folder")));
  write_record(folder.path(), 3);
  EXPECT_THAT([&] { read_table(folder / "run.h5", "/speed"); },
              ThrowsMessage<UserError>(HasSubstr("run.h5 holds no table /speed")));
}

TEST(Refusals, OtherColumnsThanBefore) {
  const TemporaryFolder folder;
  write_record(folder.path(), 3);
  Table more = train_table(), other = train_table();
  more.columns.push_back({"resident_bytes", Column::Type::integer, "byte", "resident memory"});
  other.columns[1].type = Column::Type::text;
  EXPECT_THAT(
      [&] { open_record(folder.path())->define(more); },
      ThrowsMessage<UserError>(AllOf(HasSubstr("table /train has the columns step, loss, note"),
                                     HasSubstr("step, loss, note, resident_bytes"), HasSubstr("--fresh"))));
  EXPECT_THAT([&] { open_record(folder.path())->define(other); },
              ThrowsMessage<UserError>(HasSubstr("column loss of table /train has another type")));
  EXPECT_EQ(read_table(folder / "run.h5", "/train").at("step").size(), 3u);
}

TEST(Refusals, AFolderThatDoesNotExist) {
  const TemporaryFolder folder;
  EXPECT_THAT(
      [&] { open_record(folder / "missing"); },
      ThrowsMessage<RunError>(AllOf(HasSubstr("cannot open"), HasSubstr("No such file or directory"))));
}

TEST(Refusals, ANotebookThatHoldsTheRecordOpenStopsNobody) {
  const TemporaryFolder folder;
  write_record(folder.path(), 3);
  const auto lock = FileLock::try_acquire(folder / "run.h5");  // as another program's HDF5 would hold it
  ASSERT_TRUE(lock);
  EXPECT_EQ(read_table(folder / "run.h5", "/train").at("step").size(), 3u);
  const auto record = open_record(folder.path());
  record->define(train_table());
  append_steps(*record, 3, 5);
  record->flush();
  EXPECT_EQ(read_table(folder / "run.h5", "/train").at("step").size(), 5u);
}

}  // namespace
}  // namespace attnlab
