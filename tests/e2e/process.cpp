#include "process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace attnlab {
namespace {

namespace fs = std::filesystem;
constexpr auto kLookInterval = std::chrono::milliseconds(5);

std::string contents(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

std::vector<char*> pointers(Words& words) {
  std::vector<char*> all;
  for (auto& word : words) all.push_back(word.data());
  all.push_back(nullptr);
  return all;
}

void redirect(const fs::path& file, int flags, int target) {
  const int descriptor = ::open(file.c_str(), flags, 0600);
  if (descriptor < 0 || ::dup2(descriptor, target) < 0) ::_exit(127);
}

}  // namespace

Process::Process(const Words& arguments, const fs::path& folder, const Words& environment,
                 const std::string& input) {
  std::string pattern = (fs::temp_directory_path() / "attnlab-process-XXXXXX").string();
  if (!mkdtemp(pattern.data())) throw std::runtime_error("cannot make a temporary folder");
  files_ = pattern;
  std::ofstream(files_ / "in") << input;
  Words argv{ATTNLAB_BINARY}, env = environment;
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  for (char** variable = environ; *variable; ++variable)
    env.emplace_back(*variable);  // of two, the first counts
  const auto argv_pointers = pointers(argv), env_pointers = pointers(env);
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("cannot fork");
  if (pid_ > 0) return;
  if (::chdir(folder.c_str()) != 0) ::_exit(127);
  redirect(files_ / "in", O_RDONLY, STDIN_FILENO);
  redirect(files_ / "out", O_WRONLY | O_CREAT, STDOUT_FILENO);
  redirect(files_ / "err", O_WRONLY | O_CREAT, STDERR_FILENO);
  ::execve(ATTNLAB_BINARY, argv_pointers.data(), env_pointers.data());
  ::_exit(127);
}

Process::~Process() {
  if (!ended()) {
    signal(SIGKILL);
    finish();
  }
  fs::remove_all(files_);
}

void Process::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

bool Process::ended() {
  if (pid_ <= 0) return true;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return false;
  status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  pid_ = -1;
  return true;
}

Finished Process::finish() {
  while (!ended()) std::this_thread::sleep_for(kLookInterval);
  return result();
}

bool Process::says(const std::string& words) {
  while (true) {
    const bool last_look = ended();
    for (const char* stream : {"out", "err"})
      if (contents(files_ / stream).find(words) != std::string::npos) return true;
    if (last_look) return false;
    std::this_thread::sleep_for(kLookInterval);
  }
}

Finished Process::result() const { return {status_, contents(files_ / "out"), contents(files_ / "err")}; }

}  // namespace attnlab
