// Runs the program as a user does: its own process, its output kept.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace attnlab {

using Words = std::vector<std::string>;

struct Finished {
  int status = -1;  ///< as a shell gives it: 128 + signal where a signal ended it
  std::string out, err;
};

/// A running `attnlab`.
class Process {
 public:
  /// Starts ATTNLAB_BINARY with these arguments in `folder`; `input` is its standard input, `environment`
  /// NAME=value pairs beside those of the test.
  Process(const Words& arguments, const std::filesystem::path& folder, const Words& environment = {},
          const std::string& input = "");
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  void signal(int number) const;
  bool ended();
  /// Waits for its end.
  Finished finish();
  /// Waits until its standard output or error holds `words`; false where it ended without.
  bool says(const std::string& words);

 private:
  Finished result() const;
  pid_t pid_ = -1;
  int status_ = -1;
  std::filesystem::path files_;  ///< holds in, out and err
};

}  // namespace attnlab
