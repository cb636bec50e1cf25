// A sweep's children are copies of the program that sweeps. Under test that is this one, so it understands
// `run CONFIG --index N key=value…` beside the arguments of GoogleTest; its only task is the toy.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <exception>
#include <string>

#include "run/commands.h"
#include "run/exit.h"

namespace {

int run_as_child(const std::vector<std::string>& words) {
  try {
    attnlab::Target target{words.at(1), {words.begin() + 6, words.end()}};
    return attnlab::run_command(target, {.index = std::stoll(words.at(3)), .id = words.at(5)}, words);
  } catch (...) {
    const attnlab::Outcome outcome = attnlab::outcome_of(std::current_exception());
    std::fprintf(stderr, "error: %s\n", outcome.error.c_str());
    return outcome.exit_status;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() >= 4 && words[0] == "run" && words[2] == "--index") return run_as_child(words);
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
