// Options that use everything a configuration can hold, and a folder to write YAML files into.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "config/experiment.h"
#include "core/error.h"
#include "core/options.h"

namespace attnlab {

struct MixerOptions : Component {};

struct PlainMixer final : MixerOptions {
  void visit(Fields&) override {}
};

struct PackedMixer final : MixerOptions {
  int64_t rows = 16;
  bool tie = false;
  void visit(Fields& f) override {
    f("rows", rows, Range{1, 65536}, "rows of the packed sequence");
    f("tie", tie, "one projection for keys and values");
  }
};

/// A component that holds one of its own family.
struct NestedMixer final : MixerOptions {
  std::shared_ptr<Choice<MixerOptions>> inner;
  NestedMixer();
  void visit(Fields& f) override;
};

template <>
inline const std::vector<Entry<MixerOptions>>& registry<MixerOptions>() {
  static const std::vector<Entry<MixerOptions>> table = {
      entry<MixerOptions, PlainMixer>("plain", "mixes by the textbook"),
      entry<MixerOptions, PackedMixer>("packed", "mixes through a short sequence"),
      entry<MixerOptions, NestedMixer>("nested", "mixes twice"),
  };
  return table;
}

inline NestedMixer::NestedMixer() : inner(std::make_shared<Choice<MixerOptions>>("plain")) {}
inline void NestedMixer::visit(Fields& f) { f("inner", *inner, "the mixer inside"); }

enum class Norm { pre, post };

struct ModelOptions {
  int64_t dim = 512;
  int64_t heads = 8;
  double dropout = 0.1;
  Norm norm = Norm::post;
  Choice<MixerOptions> mixer{"packed"};
  void visit(Fields& f) {
    f("dim", dim, Range{1, 65536}, "width");
    f("heads", heads, Range{1, 1024}, "heads; divide dim");
    f("dropout", dropout, Range{0, 0.99}, "probability");
    f("norm", norm, {{"pre", Norm::pre}, {"post", Norm::post}}, "where the layer norm stands");
    f("mixer", mixer, "how positions mix");
    f.require(dim % heads == 0, "heads", fmt::format("{} heads do not divide dim {}", heads, dim));
  }
};

struct TrainingOptions {
  int64_t updates = 1000;
  double learning_rate = 1e-4;
  std::vector<double> betas = {0.9, 0.98};
  std::vector<int64_t> milestones;
  void visit(Fields& f) {
    f("updates", updates, Range{0, 1e12}, "steps of the optimiser");
    f("learning_rate", learning_rate, Range{0, 10}, "at its peak");
    f("betas", betas, Range{0, 1}, "decay of Adam's averages");
    f("milestones", milestones, Range{0}, "updates at which the rate drops");
  }
};

struct JobOptions : Component {};

struct ClassifyJob final : JobOptions {
  ModelOptions model;
  TrainingOptions train;
  bool trains = true;
  void visit(Fields& f) override {
    f("model", model, "the network");
    f.optional("train", train, trains, "none: only evaluate");
  }
};

struct CountJob final : JobOptions {
  std::string unit = "bytes";
  void visit(Fields& f) override { f("unit", unit, OneOf{{"bytes", "words"}}, "what is counted"); }
};

template <>
inline const std::vector<Entry<JobOptions>>& registry<JobOptions>() {
  static const std::vector<Entry<JobOptions>> table = {
      entry<JobOptions, ClassifyJob>("classify", "labels texts"),
      entry<JobOptions, CountJob>("count", "counts symbols"),
  };
  return table;
}

struct SampleOptions {
  int64_t seed = 1;
  int64_t threads = 0;
  std::string title = "";
  std::vector<std::string> splits = {"train", "test"};
  Choice<JobOptions> job;
  void visit(Fields& f) {
    f("seed", seed, Range{0}, "of all randomness");
    f("threads", threads, Range{0, 1024}, no_effect("0: all"));
    f("title", title, OneOf{}, no_effect("of plots"));
    f("splits", splits, OneOf{{"train", "validation", "test"}}, "what is read");
    f.spread("job", job, "what is done");
  }
  ClassifyJob& classify() const { return dynamic_cast<ClassifyJob&>(*job); }
  ModelOptions& model() const { return classify().model; }
  PackedMixer& packed() const { return dynamic_cast<PackedMixer&>(*model().mixer); }
};

/// A folder of its own for each test, with files that messages call by their short names.
class FolderTest : public testing::Test {
 protected:
  FolderTest() {
    std::string pattern = testing::TempDir() + "config.XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~FolderTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path write(const std::string& name, const std::string& text) {
    const auto path = folder_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path;
  }

  /// What `call` throws, with the folder's path taken out; "" when nothing.
  template <class Call>
  std::string message_of(Call call) const {
    try {
      call();
    } catch (const UserError& e) {
      std::string text = e.what();
      const std::string prefix = folder_.string() + "/";
      for (auto at = text.find(prefix); at != std::string::npos; at = text.find(prefix))
        text.erase(at, prefix.size());
      return text;
    }
    return "";
  }

  std::filesystem::path folder_;
};

inline SampleOptions sample_from(const std::string& yaml, const std::vector<std::string>& overrides = {}) {
  return read_options<SampleOptions>(with_overrides(parse_yaml(yaml, "f.yaml"), overrides));
}

}  // namespace attnlab
