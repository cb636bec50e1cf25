// What tests of training a language model share: a few short texts and a model that learns them in seconds.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "config/experiment.h"
#include "core/error.h"
#include "data/text_files.h"
#include "data/token_lines.h"
#include "tasks/cut_record.h"
#include "tasks/language/train_lm.h"
#include "tasks/memory_record.h"
#include "train/file_record.h"

namespace attnlab {

inline std::string content(const std::filesystem::path& path) {
  std::ostringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  return bytes.str();
}

class TrainLmTask : public testing::Test {
 protected:
  TrainLmTask() {
    std::string name = testing::TempDir() + "train_lm.XXXXXX";
    folder = ::mkdtemp(name.data());
    const std::string story = content(ATTNLAB_SOURCE_DIR "/tests/golden/story.txt");
    for (int i = 0; i < 4; ++i) {
      const auto middle = static_cast<std::size_t>(150 * (i + 1));
      write("train/" + std::to_string(i) + ".txt", story.substr(middle) + story.substr(0, middle));
    }
    write("held_out/story.txt", story);
    read(options.data, "train");
    read(options.validation, "held_out");
    options.tokenizer.vocabulary = 320;
    options.model = {.dim = 16, .ffn_dim = 32, .layers = 1, .heads = 2, .max_positions = 32};
    options.context = 32;
    options.batch_size = 4;
    options.train.updates = 40;
    options.train.learning_rate = 0.02;
    options.train.validate_interval = 10;
    options.train.log_interval = 1;
    options.train.evaluate_with = EvaluateWith::last;
  }
  ~TrainLmTask() override { std::filesystem::remove_all(folder); }

  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((folder / name).parent_path());
    std::ofstream(folder / name, std::ios::binary) << text;
  }
  void read(Choice<DocumentDataOptions>& data, const std::string& name) const {
    data.select("texts");
    dynamic_cast<TextFilesOptions&>(*data).path = (folder / name).string();
  }
  RunContext context(const std::string& run) const {
    RunContext c;
    c.folder = folder / run;
    c.data = {folder / "data", folder / "cache"};
    std::filesystem::create_directories(c.folder);
    return c;
  }
  MemoryRecord run(const std::string& name) const {
    MemoryRecord record;
    for (const Table& t : options.tables()) record.define(t);
    options.run(context(name), record);
    return record;
  }
  /// A run's record as it stands on disk.
  FileRecord record_of(const std::string& run) const {
    FileRecord record(folder / run / "record");
    for (const Table& t : options.tables()) record.define(t);
    return record;
  }
  /// Killed behind each of these numbers of rows of /train, one after the other.
  void run_cut(const std::string& name, std::initializer_list<int64_t> rows) const {
    for (const int64_t count : rows) {
      FileRecord record = record_of(name);
      CutRecord cut(record, count);
      EXPECT_THROW(options.run(context(name), cut), RunError);
    }
  }
  std::string weights(const std::string& run) const {
    const std::string bytes = content(folder / run / "model/model.safetensors");
    EXPECT_GT(bytes.size(), 1000U);
    return bytes;
  }
  std::vector<std::filesystem::path> trained_tokenizers() const {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder / "cache"))
      if (entry.path().extension() == ".model") found.push_back(entry.path());
    return found;
  }
  void read_ids(Choice<DocumentDataOptions>& data, const std::string& name) const {
    data.select("token_lines");
    dynamic_cast<TokenLinesOptions&>(*data).path = (folder / name).string();
  }
  /// What is said of a run, or of a file of options.
  std::string refusal(const std::string& run) const {
    return said_by([&] { this->run(run); });
  }
  std::string refused(const std::string& file) const {
    return said_by([&] { read_options<TrainLmOptions>(load_experiment(folder / file).config); });
  }
  /// The same of a file that is written so; "" where nothing is refused.
  std::string refused_as(const std::string& file, const std::string& yaml) const {
    write(file, yaml);
    try {
      read_options<TrainLmOptions>(load_experiment(folder / file).config);
    } catch (const UserError& e) {
      return e.what();
    }
    return "";
  }
  template <class Act>
  static std::string said_by(Act act) {
    try {
      act();
    } catch (const UserError& e) {
      return e.what();
    }
    ADD_FAILURE() << "nothing was refused";
    return "";
  }

  std::filesystem::path folder;
  TrainLmOptions options;
};

}  // namespace attnlab
