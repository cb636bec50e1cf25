// What SIGKILL and a full disk leave behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <functional>
#include <iostream>
#include <random>
#include <set>
#include <thread>

#include "core/error.h"
#include "fixture.h"
#include "results/reader.h"

namespace attnlab {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::Ge;
using testing::HasSubstr;
using testing::SizeIs;
using testing::ThrowsMessage;

/// Goes on with the record for ever, a flush every few rows, and says how many rows each flush has made safe.
[[noreturn]] void write_until_killed(const std::filesystem::path& folder, int report) {
  const auto record = open_record(folder);
  record->define(train_table());
  record->define(test_table());
  record->attribute("status", std::string("running"));
  record->flush();
  for (int64_t step = record->rows("/train");; ++step) {
    record->append("/train", train_row(step));
    record->append("/eval/test", std::vector<Value>{step, std::string("id"), step % 2});
    if (step % 5 != 0) continue;
    record->summarise({"last_step", static_cast<double>(step), "1", "last step"});
    record->flush();
    const int64_t safe = record->rows("/train");
    if (::write(report, &safe, sizeof safe) != sizeof safe) ::_exit(3);
  }
}

/// A process that writes a record and reports, through a pipe, how many rows are safe.
class Writer {
 public:
  explicit Writer(const std::function<void(int report)>& write) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(ends[0]);
      try {
        write(ends[1]);
      } catch (const std::exception& e) {
        std::cerr << e.what() << '\n';
      }
      ::_exit(4);
    }
    ::close(ends[1]);
    reports_ = ends[0];
  }
  ~Writer() { ::close(reports_); }
  pid_t pid() const { return pid_; }

  /// Of a writer that has ended: the last number it reported, or -1.
  int64_t last_report() const {
    int64_t value = -1;
    while (::read(reports_, &value, sizeof value) == sizeof value) {
    }
    return value;
  }

 private:
  pid_t pid_;
  int reports_;
};

void expect_intact(const std::filesystem::path& file, int64_t safe) {
  ASSERT_EQ(read_run(file).status(), "running");
  const auto train = read_table(file, "/train");
  ASSERT_GE(static_cast<int64_t>(train.at("step").size()), safe) << "a flushed row was lost";
  for (std::size_t i = 0; i < train.at("step").size(); ++i) {
    const auto row = train_row(static_cast<int64_t>(i));
    ASSERT_EQ(train.at("step")[i], row[0]);
    ASSERT_EQ(train.at("loss")[i], row[1]);
    ASSERT_EQ(train.at("note")[i], row[2]);
  }
}

TEST(Survival, SigkillAtAnyMomentLosesNoFlushedRow) {
  const TemporaryFolder folder;
  std::mt19937 random(20240229);
  std::uniform_int_distribution<int> microseconds(0, 40000);
  int killed_after_a_flush = 0;
  int64_t safe = 0;
  for (int round = 0; round < 40; ++round) {  // each round resumes what the one before left
    const Writer writer([&](int report) { write_until_killed(folder.path(), report); });
    ASSERT_GT(writer.pid(), 0);
    std::this_thread::sleep_for(std::chrono::microseconds(microseconds(random)));
    ::kill(writer.pid(), SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(writer.pid(), &status, 0), writer.pid());
    ASSERT_TRUE(WIFSIGNALED(status)) << "the writer stopped by itself in round " << round;
    const int64_t reported = writer.last_report();
    if (reported > 0) ++killed_after_a_flush;
    safe = std::max(safe, reported);
    if (!std::filesystem::exists(folder / "run.h5")) {
      ASSERT_EQ(safe, 0) << "round " << round;
      continue;
    }
    ASSERT_NO_FATAL_FAILURE(expect_intact(folder / "run.h5", safe)) << "round " << round;
  }
  EXPECT_GT(killed_after_a_flush, 10) << "too few kills hit a writer at work to show anything";
}

/// A short life of a record with all that moves HDF5's metadata about: the first flush, heaps that grow, an
/// index of chunks that splits (it holds 64, of 1,024 rows each), a truncation, an array that is replaced,
/// a last attribute. Reports how many rows are safe.
[[noreturn]] void live(const std::filesystem::path& folder, int report) {
  const auto say = [report](int64_t safe) {
    if (::write(report, &safe, sizeof safe) != sizeof safe) ::_exit(3);
  };
  const auto record = open_record(folder);
  int64_t step = 0;
  const auto reach = [&](int64_t end) {
    for (; step < end; ++step) record->append("/train", train_row(step));
    record->summarise({"last_step", static_cast<double>(step), "1", "last step"});
    record->store(array_of("/arrays/last", step, 1500));  // in the place of the one before
    record->flush();
    say(step);
  };
  record->define(train_table());
  record->attribute("status", std::string("running"));
  for (const int64_t end : {1, 40, 200, 1025, 50'000, 70'000}) reach(end);
  say(step = 60'000);
  record->truncate("/train", step);
  for (const int64_t end : {60'500, 61'500}) reach(end);
  record->attribute("commit", std::string(5000, 'c'));
  record->flush();
  ::_exit(0);
}

enum class Ended { killed, by_itself, untraceable };

/// Lets `child`, which asked to be traced and stopped, run up to its `count`-th system call that changes a
/// file, and kills it there, before the call.
Ended kill_before_change(pid_t child, int count) {
  const std::set<uint64_t> changes = {SYS_write,    SYS_pwrite64, SYS_ftruncate, SYS_fallocate, SYS_fsync,
#ifdef SYS_rename
                                      SYS_rename,
#endif
                                      SYS_renameat, SYS_renameat2};
  int status = 0;
  ::waitpid(child, &status, WUNTRACED);
  if (::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) != 0) {
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
    return Ended::untraceable;
  }
  while (true) {
    ::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
    ::waitpid(child, &status, 0);
    if (!WIFSTOPPED(status)) return Ended::by_itself;
    if (WSTOPSIG(status) != (SIGTRAP | 0x80)) continue;
    __ptrace_syscall_info call{};
    ::ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof call, &call);
    const bool change = call.op == PTRACE_SYSCALL_INFO_ENTRY && changes.contains(call.entry.nr);
    if (!change || --count > 0) continue;
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
    return Ended::killed;
  }
}

TEST(Survival, SigkillBeforeAnyChangeLosesNoFlushedRow) {
  int kills = 0;
  for (auto end = Ended::killed; end == Ended::killed; ++kills) {
    const TemporaryFolder folder;
    const Writer writer([&](int report) {
      ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
      ::raise(SIGSTOP);
      live(folder.path(), report);
    });
    ASSERT_GT(writer.pid(), 0);
    end = kill_before_change(writer.pid(), kills + 1);
    if (end == Ended::untraceable) GTEST_SKIP() << "cannot trace a process here: " << std::strerror(errno);
    const int64_t safe = writer.last_report();
    if (!std::filesystem::exists(folder / "run.h5")) {
      ASSERT_EQ(safe, -1) << "kill " << kills;
      continue;
    }
    ASSERT_NO_FATAL_FAILURE(expect_intact(folder / "run.h5", safe)) << "kill " << kills;
    if (safe > 0) {
      const auto last = dumped(folder / "run.h5", "/arrays/last/seen");
      ASSERT_THAT(last, AllOf(SizeIs(3000), Each(last.front()), Contains(Ge(safe)))) << "kill " << kills;
    }
    const auto resumed = open_record(folder.path());
    resumed->define(train_table());
    ASSERT_GE(resumed->rows("/train"), safe) << "kill " << kills;
  }
  EXPECT_GT(kills, 40) << "the calls that this test kills before are no longer those that write";
}

/// A file system of one mebibyte, unmounted at the end.
class TinyDisk {
 public:
  explicit TinyDisk(const std::filesystem::path& at) : at_(at) {
    std::filesystem::create_directories(at);
    mounted_ = ::mount("none", at.c_str(), "tmpfs", 0, "size=1m") == 0;
    why_not_ = mounted_ ? "" : std::strerror(errno);
  }
  ~TinyDisk() {
    if (mounted_) ::umount2(at_.c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }
  const std::string& why_not() const { return why_not_; }

 private:
  std::filesystem::path at_;
  bool mounted_;
  std::string why_not_;
};

/// Rows of ten texts of a kilobyte, flushed, until the disk refuses; returns the rows that were safe by then.
int64_t fill(RecordSink& record, const std::string& reason) {
  const std::string long_note(1000, 'n');
  for (int64_t step = record.rows("/train"); step < 10000; ++step) {
    record.append("/train", std::vector<Value>{step, 0.5, long_note});
    if (step % 10 != 9) continue;
    const int64_t safe = record.rows("/train");
    try {
      record.flush();
    } catch (const RunError& e) {
      EXPECT_THAT(e.what(), AllOf(HasSubstr("cannot write "), HasSubstr(reason)));
      return safe;
    }
  }
  ADD_FAILURE() << "the disk never filled";
  return 0;
}

void expect_rows(const std::filesystem::path& file, int64_t rows) {
  const auto table = read_table(file, "/train");
  ASSERT_EQ(static_cast<int64_t>(table.at("step").size()), rows);
  for (int64_t i = 0; i < rows; ++i) {
    ASSERT_EQ(table.at("step")[i], Value(i));
    ASSERT_EQ(table.at("note")[i], Value(std::string(1000, 'n')));
  }
}

TEST(Survival, AFullDiskIsSaidAndTheRecordStaysAsItWas) {
  const TemporaryFolder folder;
  const TinyDisk disk(folder / "disk");
  if (!disk.mounted()) GTEST_SKIP() << "cannot mount a tmpfs here: " << disk.why_not();
  const auto run = folder / "disk" / "run";
  const auto ballast = folder / "disk" / "ballast";
  std::filesystem::create_directory(run);
  std::ofstream(ballast) << std::string(300000, 'b');
  {
    const auto record = open_record(run);
    record->define(train_table());
    record->attribute("status", std::string("running"));
    record->flush();
    const int64_t safe = fill(*record, "No space left on device");
    EXPECT_GT(safe, 0);
    expect_rows(run / "run.h5", safe);
    EXPECT_EQ(read_run(run / "run.h5").status(), "running");
    EXPECT_THAT([&] { record->flush(); }, ThrowsMessage<RunError>(HasSubstr("No space left on device")));
    std::filesystem::remove(ballast);
    record->flush();  // with space again nothing is lost
    expect_rows(run / "run.h5", safe + 10);
    fill(*record, "No space left on device");
  }
  const auto left = read_table(run / "run.h5", "/train").at("step").size();
  expect_rows(run / "run.h5", static_cast<int64_t>(left));
  EXPECT_NO_THROW(open_record(run)->define(train_table())) << "and it can be resumed";
}

TEST(Survival, ADiskWithoutAnyRoomHoldsNoHalfRecord) {
  const TemporaryFolder folder;
  const TinyDisk disk(folder / "disk");
  if (!disk.mounted()) GTEST_SKIP() << "cannot mount a tmpfs here: " << disk.why_not();
  std::ofstream(folder / "disk" / "ballast") << std::string(2000000, 'b');
  EXPECT_THAT(
      [&] {
        const auto record = open_record(folder / "disk");
        record->define(train_table());
        append_steps(*record, 0, 3);
        record->flush();
      },
      ThrowsMessage<RunError>(AllOf(HasSubstr("cannot "), HasSubstr("No space left on device"))));
  EXPECT_FALSE(std::filesystem::exists(folder / "disk" / "run.h5"));
  EXPECT_FALSE(std::filesystem::exists(folder / "disk" / "run.h5.part"));
}

/// Lowers the largest size that this process may give a file, until the end of the test.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit lower{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &lower);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, SIG_DFL);
  }

 private:
  rlimit before_{};
};

TEST(Survival, AFileSizeLimitIsSaidAndTheRecordStaysAsItWas) {
  const TemporaryFolder folder;
  int64_t safe = 0;
  {
    const auto record = open_record(folder.path());
    record->define(train_table());
    record->flush();
    const FileSizeLimit limit(400000);
    safe = fill(*record, "File too large");
    EXPECT_GT(safe, 0);
  }
  expect_rows(folder / "run.h5", safe + 10);  // without the limit the destructor could write the rest
}

}  // namespace
}  // namespace attnlab
