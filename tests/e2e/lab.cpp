#include "lab.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <sstream>

#include "core/random.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

constexpr int kReviewsPerClass = 20;

/// Words that tell the classes apart, in an order of chance.
std::string review(bool positive, Random& random) {
  static const char* const words[2][4] = {{"bad", "dull", "awful", "the"}, {"good", "fine", "great", "the"}};
  std::string text;
  const uint64_t count = 4 + random.below(12);
  for (uint64_t i = 0; i < count; ++i) text += std::string(i ? " " : "") + words[positive][random.below(4)];
  return text;
}

void write_reviews(const fs::path& root) {
  Random random(1);
  for (const char* half : {"train", "test"})
    for (const bool positive : {false, true}) {
      const fs::path folder = root / half / (positive ? "pos" : "neg");
      fs::create_directories(folder);
      for (int i = 0; i < kReviewsPerClass; ++i)
        std::ofstream(folder / (std::to_string(i) + (positive ? "_9.txt" : "_2.txt")))
            << review(positive, random);
    }
}

}  // namespace

const char* const tiny_yaml = R"(task: classify
threads: 1
device: cpu
data: imdb
encoding: {max_length: 48}
batching: {batch_size: 4, bucket: 2}
model:
  encoder:
    dim: 8
    layers: 2
    heads: 2
    ffn_dim: 16
    dropout: 0.1
    attention_dropout: 0.1
    attention: {type: luna, projection_length: 4}
  head_dim: 8
train:
  updates: 30
  learning_rate: 0.01
  validate_interval: 10
  log_interval: 1
  checkpoint_interval: 3
evaluation: {byte_count_floor: false}
)";

Lab::Lab() {
  std::string pattern = testing::TempDir() + "attnlab-lab-XXXXXX";
  path_ = mkdtemp(pattern.data());
  write_reviews(data());
  write("tiny.yaml", tiny_yaml);
}

Lab::~Lab() { fs::remove_all(path_); }

fs::path Lab::write(const std::string& name, const std::string& text) const {
  fs::create_directories((path_ / name).parent_path());
  std::ofstream(path_ / name, std::ios::binary) << text;
  return path_ / name;
}

fs::path Lab::run_folder(const std::string& experiment) const {
  fs::path only;
  for (const auto& entry : fs::directory_iterator(results() / experiment)) {
    EXPECT_EQ(only, fs::path()) << "more than one run in " << results() / experiment;
    only = entry.path();
  }
  return only;
}

std::unique_ptr<Process> Lab::start(const Words& arguments, const std::string& input) const {
  const Words environment{"ATTNLAB_RESULTS=" + results().string(),
                          "ATTNLAB_DATA=" + (path_ / "data").string()};
  return std::make_unique<Process>(arguments, path_, environment, input);
}

Finished Lab::attnlab(const Words& arguments, const std::string& input) const {
  return start(arguments, input)->finish();
}

std::string contents_of(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

}  // namespace attnlab
