#include "run/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/error.h"
#include "run/exit.h"

namespace attnlab {
namespace {

/// What the child does between fork and exec: system calls only.
[[noreturn]] void become(const std::vector<char*>& argv, int output, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(128 + SIGTERM);  // the parent died before prctl
  if (output >= 0) {
    ::dup2(output, STDOUT_FILENO);
    ::dup2(output, STDERR_FILENO);
  }
  ::execv("/proc/self/exe", argv.data());
  ::_exit(127);
}

}  // namespace

Child::Child(const std::vector<std::string>& arguments, bool quiet) {
  if (quiet) output_ = ::memfd_create("attnlab-child", MFD_CLOEXEC);
  std::vector<std::string> words{"attnlab"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t self = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) run_error("cannot start a child process: {}", std::strerror(errno));
  if (pid_ == 0) become(argv, output_, self);
  ::setpgid(pid_, pid_);  // here too, so that a signal sent right now finds the group
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      output_(std::exchange(other.output_, -1)),
      exit_status_(other.exit_status_) {}

Child& Child::operator=(Child&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(output_, other.output_);
  std::swap(exit_status_, other.exit_status_);
  return *this;
}

Child::~Child() {
  if (pid_ > 0) {
    signal(SIGTERM);
    ::waitpid(pid_, nullptr, 0);
  }
  if (output_ >= 0) ::close(output_);
}

bool Child::ended() {
  if (pid_ <= 0) return true;
  int status = 0;
  const pid_t found = ::waitpid(pid_, &status, WNOHANG);
  if (found < 0 && errno == ECHILD) {  // somebody else has waited for it: how it ended is lost
    exit_status_ = exit_failed;
    pid_ = -1;
    return true;
  }
  if (found != pid_) return false;
  exit_status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  pid_ = -1;
  return true;
}

void Child::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

std::string Child::last_line() const {
  if (output_ < 0) return "";
  std::string tail(4096, '\0');
  const off_t size = ::lseek(output_, 0, SEEK_END);
  const off_t start = size > static_cast<off_t>(tail.size()) ? size - static_cast<off_t>(tail.size()) : 0;
  const ssize_t read = ::pread(output_, tail.data(), tail.size(), start);
  tail.resize(read > 0 ? static_cast<std::size_t>(read) : 0);
  while (!tail.empty() && (tail.back() == '\n' || tail.back() == '\r')) tail.pop_back();
  return tail.substr(tail.find_last_of('\n') + 1);
}

}  // namespace attnlab
