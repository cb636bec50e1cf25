// Python readers without any knowledge of this program: h5py on what the writer left, and scripts/report.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/files.h"
#include "fixture.h"

namespace attnlab {
namespace {

using testing::HasSubstr;

const std::filesystem::path source = ATTNLAB_SOURCE_DIR;
const std::filesystem::path python = source / ".venv/bin/python";

constexpr const char* reading = R"(
import sys, h5py
with h5py.File(sys.argv[1], locking=False) as run:
    assert run.attrs["status"] == "done", run.attrs["status"]
    train = run["train"]
    assert list(train) == ["step", "loss", "note"], list(train)
    assert train.attrs["rows_written"] == 12
    assert train["step"].is_scale and train["loss"].dims[0][0] == train["step"]
    assert train["loss"].attrs["units"] == "nat"
    assert train["loss"].attrs["long_name"] == "mean training loss"
    assert train["loss"][:].tolist() == [1 / (i + 1) for i in range(12)]
    assert train["note"].asstr()[:].tolist() == [f"note {i}" for i in range(12)]
    accuracy = run["summary/accuracy"]
    assert accuracy[()] == 0.625 and accuracy.attrs["units"] == "1" and accuracy.attrs["better"] == "higher"
    seen = run["arrays/a/seen"]
    assert seen.shape == (2, 3000) and seen.dtype == "int32" and (seen[()] == 4).all()
    assert [d.label for d in seen.dims] == ["layer", "token"] and seen.attrs["units"] == "token"
    assert seen.dims[0][0] == run["arrays/a/layer"] and seen.dims[0][0][:].tolist() == [3, 5]
    assert seen.dims[1][0][:5].tolist() == [0, 1, 4, 9, 16] and list(run["arrays/a"])[0] == "seen"
    assert accuracy.attrs["n"] == 2000 and accuracy.attrs["standard_error"] == 0.0108
)";

class Python : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(python)) GTEST_SKIP() << python << " is absent: scripts/setup makes it";
    const auto record = open_record(folder_.path());
    record->define(train_table());
    record->define(test_table());  // stays empty
    append_steps(*record, 0, 12);
    record->summarise({"accuracy", 0.625, "1", "accuracy on test", Summary::Better::higher, 2000, 0.0108});
    record->store(array_of("/arrays/a", 4, 3000));
    record->attribute("status", std::string("done"));
  }

  const TemporaryFolder folder_;
};

TEST_F(Python, H5pySeesTablesScalesUnitsAndFigures) {
  std::ofstream(folder_ / "read.py") << reading;
  const std::string command =
      python.string() + " " + (folder_ / "read.py").string() + " " + (folder_ / "run.h5").string();
  EXPECT_EQ(std::system(command.c_str()), 0);
}

TEST_F(Python, TheReportReadsWhatTheWriterLeft) {
  const std::string command = python.string() + " " + (source / "scripts/report").string() + " " +
                              folder_.path().string() + " > " + (folder_ / "said").string();
  ASSERT_EQ(std::system(command.c_str()), 0);
  const std::string page = read_file(folder_ / "report.html");
  EXPECT_THAT(page, HasSubstr("62.50 % ± 1.08"));
  EXPECT_THAT(page, HasSubstr("data:image/png;base64,"));
}

}  // namespace
}  // namespace attnlab
