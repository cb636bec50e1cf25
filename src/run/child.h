// Child processes of a sweep: each run in its own, so that its peak memory is its own and its failure stays
// its own.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace attnlab {

/// A running copy of this program.
class Child {
 public:
  /// Starts this program with `arguments` (without argv[0]). The child has a process group of its own, so
  /// that the terminal's Ctrl-C reaches it once, through `signal`; it is asked to stop when this process
  /// dies. quiet: its output is kept for `last_line` rather than shown.
  Child(const std::vector<std::string>& arguments, bool quiet);
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;
  ~Child();

  /// True once it ended; exit_status is then valid.
  bool ended();
  /// As a shell gives it: 128 + signal where a signal ended it.
  int exit_status() const { return exit_status_; }
  void signal(int number) const;
  /// The last line of what a quiet child wrote.
  std::string last_line() const;

 private:
  pid_t pid_ = -1;
  int output_ = -1;  ///< descriptor of an unnamed file
  int exit_status_ = -1;
};

}  // namespace attnlab
