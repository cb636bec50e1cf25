// A folder that lasts as long as its test, and small data sets to put there.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "data/sequences.h"

namespace attnlab::testing {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = ::testing::TempDir() + "attnlab-data-XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline void write(const std::filesystem::path& file, std::string_view bytes) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << bytes;
}

/// What an .xz file holds, as a file of the folder.
inline std::filesystem::path unpacked(const std::filesystem::path& packed,
                                      const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / packed.stem();
  const std::string command = "xz -dc '" + packed.string() + "' > '" + file.string() + "'";
  if (std::system(command.c_str()) != 0) throw std::runtime_error(command + " failed");
  return file;
}

/// Sequences in memory, all of label 0 unless labels are given.
class InMemory final : public LabelledSequences {
 public:
  explicit InMemory(std::vector<std::vector<uint8_t>> texts, std::vector<int32_t> labels = {})
      : texts_(std::move(texts)), labels_(std::move(labels)) {
    labels_.resize(texts_.size());
    for (std::size_t i = 0; i < texts_.size(); ++i) ids_.push_back("example/" + std::to_string(i));
  }
  int64_t size() const override { return static_cast<int64_t>(texts_.size()); }
  std::span<const uint8_t> symbols(int64_t i) const override { return texts_[static_cast<std::size_t>(i)]; }
  int32_t label(int64_t i) const override { return labels_[static_cast<std::size_t>(i)]; }
  std::string_view id(int64_t i) const override { return ids_[static_cast<std::size_t>(i)]; }

 private:
  std::vector<std::vector<uint8_t>> texts_;
  std::vector<int32_t> labels_;
  std::vector<std::string> ids_;
};

inline std::string text_of(const LabelledSequences& data, int64_t i) {
  const auto symbols = data.symbols(i);
  return {symbols.begin(), symbols.end()};
}

/// The message of the exception of type Error that `act` throws; empty, with a failure, when it throws none.
template <class Error, class Act>
std::string message_of(Act act) {
  try {
    act();
  } catch (const Error& e) {
    return e.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

}  // namespace attnlab::testing
