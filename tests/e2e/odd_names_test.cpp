// Files and folders whose names are any bytes: they are worked with, told of, and resumed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "core/utf8.h"
#include "lab.h"
#include "results/reader.h"
#include "results/record_file.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

const fs::path odd_golden = fs::path(ATTNLAB_SOURCE_DIR) / "tests/golden";

class OddNames : public testing::Test {
 protected:
  OddNames() {
    fs::create_directory(lab.path() / "mod\xE8l");
    fs::copy(odd_golden / "decoders/tied", lab.path() / "mod\xE8l");
    fs::copy_file(odd_golden / "small_tokenizer.model", lab.path() / "mod\xE8l/tokenizer.model");
    for (const char* name : {"caf\xE8", "caf\xE9", "a \"quoted\"\nname\t", "plain"})
      lab.write(std::string("text\xE9s/") + name + ".txt", "she said that the little girl went");
  }
  Finished run(const Words& more = {}) const {
    Words words{"run", "odd.yaml", "results_folder=result\xE9s"};
    words.insert(words.end(), more.begin(), more.end());
    return lab.attnlab(words);
  }
  fs::path folder() const { return fs::directory_iterator(lab.path() / "result\xE9s/odd")->path(); }
  std::vector<std::string> ids_in_the_twin() const {
    std::vector<std::string> ids;
    std::istringstream lines(contents_of(folder() / "metrics.jsonl"));
    for (std::string line; std::getline(lines, line);) {
      const auto event = nlohmann::json::parse(line);
      if (event["event"] == "row" && event["table"] == "/eval/test") ids.push_back(event["values"]["id"]);
    }
    return ids;
  }

  Lab lab;
};

constexpr const char* odd_yaml =
    "\xEF\xBB\xBFtask: perplexity\r\ndevice: cpu\r\nthreads: 1\r\nmodel: mod\xE8l\r\n"
    "data: {type: texts, path: text\xE9s}\r\nchunks: {length: 32, bos: chunk}\r\n";

TEST_F(OddNames, GoThroughAWholeRun) {
  lab.write("odd.yaml", odd_yaml);
  const Finished done = run();
  ASSERT_EQ(done.status, 0) << done.err;
  EXPECT_TRUE(is_utf8(done.out + done.err)) << done.out << done.err;
  EXPECT_THAT(ids_in_the_twin(), ElementsAre("a \"quoted\"\\x0aname\\x09", "caf\\xe8", "caf\\xe9", "plain"));
  EXPECT_EQ(read_run(folder() / "run.h5").status(), "done");
  EXPECT_THAT(run().out, HasSubstr("is done already"));
  // The configuration that the folder holds stands for the same run.
  const Finished again = lab.attnlab({"list", (folder() / "config.yaml").string()});
  EXPECT_THAT(again.out, testing::AllOf(HasSubstr(folder().filename().string()), HasSubstr("done")));
}

TEST_F(OddNames, AreThereAfterAnInterruption) {
  lab.write("odd.yaml", odd_yaml);
  ASSERT_EQ(run().status, 0);
  open_record(folder())->attribute("status", std::string("running"));  // as a kill at the end leaves it
  const Finished resumed = run();
  EXPECT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_THAT(resumed.out, HasSubstr("resuming"));
  EXPECT_EQ(ids_in_the_twin().size(), 4U);
}

TEST_F(OddNames, OfModelsServePrompts) {
  const Finished done = lab.attnlab({"predict", "mod\xE8l", "--max-new-tokens", "2", "threads=1"}, "the\n");
  EXPECT_EQ(done.status, 0) << done.err;
  const Finished refused = lab.attnlab({"predict", "text\xE9s"}, "the\n");
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr("text\\xe9s is not the folder of a run"));
}

}  // namespace
}  // namespace attnlab
