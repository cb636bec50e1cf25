// Every input in tests/fuzz/corpus, each of which reached some code of a parser that no other did or once
// broke it, is read or refused with a sentence. See tests/fuzz/targets.h.
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "fuzz/input_folder.h"
#include "fuzz/targets.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

struct Target {
  const char* name;
  void (*run)(std::string_view);
};

class Corpus : public ::testing::TestWithParam<Target> {
 protected:
  fs::path folder() const { return fs::path(ATTNLAB_SOURCE_DIR) / "tests/fuzz/corpus" / GetParam().name; }
};

TEST_P(Corpus, IsReadOrRefused) {
  int inputs = 0;
  for (const auto& entry : fs::directory_iterator(folder())) {
    std::ostringstream bytes;
    bytes << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    EXPECT_NO_THROW(GetParam().run(bytes.str())) << entry.path();
    ++inputs;
  }
  EXPECT_GE(inputs, 10);
}

INSTANTIATE_TEST_SUITE_P(
    Fuzz, Corpus,
    ::testing::Values(Target{"safetensors", fuzz_safetensors}, Target{"token_lines", fuzz_token_lines},
                      Target{"tokenizer", fuzz_tokenizer}, Target{"tokenizer_json", fuzz_tokenizer_json},
                      Target{"hf_config", fuzz_hf_config}, Target{"hf_index", fuzz_hf_index},
                      Target{"squality", fuzz_squality}, Target{"qasper", fuzz_qasper},
                      Target{"fairseq_file", fuzz_fairseq_file}, Target{"pair_file", fuzz_pair_file},
                      Target{"subword_nmt", fuzz_subword_nmt}),
    [](const auto& target) { return target.param.name; });

TEST(ReadOrRefuse, LetsNothingElsePass) {
  const InputFolder folder;
  EXPECT_NO_THROW(read_or_refuse(folder, [&] { user_error("{}/file is broken", folder.path().string()); }));
  EXPECT_THROW(read_or_refuse(folder, [] { user_error("something is broken"); }), std::logic_error);
  EXPECT_THROW(read_or_refuse(folder, [] { throw std::length_error("vector"); }), std::length_error);
}

}  // namespace
}  // namespace attnlab
