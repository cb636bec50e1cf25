// A file is whole or absent, and a full disk leaves the earlier one.
#include "core/atomic_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include "core/error.h"
#include "io/safetensors.h"
#include "io/temporary.h"

namespace attnlab {
namespace {

using testing::HasSubstr;

/// Files of this process end at `bytes`: what a full disk looks like to the writer, without one.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

TEST(AtomicWriter, WhatIsNotCommittedLeavesNothing) {
  const Temporary folder;
  write_bytes(folder / "file", "old");
  {
    AtomicWriter writer(folder / "file");
    writer.write("half of the n");
  }
  EXPECT_EQ(read_bytes(folder / "file"), "old");
  EXPECT_FALSE(std::filesystem::exists(folder / "file.part"));
}

TEST(AtomicWriter, CommitReplacesTheFile) {
  const Temporary folder;
  write_bytes(folder / "file", "old and longer");
  AtomicWriter writer(folder / "file");
  writer.write("new ");
  writer.write("pieces");
  writer.commit();
  EXPECT_EQ(read_bytes(folder / "file"), "new pieces");
  EXPECT_FALSE(std::filesystem::exists(folder / "file.part"));
}

TEST(AtomicWriter, AFullDiskLeavesTheEarlierFile) {
  const Temporary folder;
  save_safetensors(folder / "checkpoint", {{"x", torch::ones({8})}});
  const std::string before = read_bytes(folder / "checkpoint");
  std::string said;
  {
    const FileSizeLimit limit(64 << 10);
    said = sentence_of<RunError>([&] {
      save_safetensors(folder / "checkpoint", {{"x", torch::ones({1 << 20})}});
    });
  }
  EXPECT_THAT(said, HasSubstr("cannot write " + (folder / "checkpoint").string() + ": File too large"));
  EXPECT_EQ(read_bytes(folder / "checkpoint"), before);
  EXPECT_FALSE(std::filesystem::exists(folder / "checkpoint.part"));
}

TEST(AtomicWriter, AFolderThatCannotBeMadeIsNamed) {
  const Temporary folder;
  write_bytes(folder / "file", "");
  EXPECT_THAT(sentence_of<RunError>([&] { AtomicWriter(folder / "file" / "below"); }),
              HasSubstr("cannot create " + (folder / "file").string()));
}

}  // namespace
}  // namespace attnlab
