// What is fuzzed: one function a parser of files that somebody else made. Each takes any bytes and accepts
// two outcomes: they were read, and what they gave is sound; or they were refused with a UserError or
// RunError that names the file. Everything else leaves the function as an exception, or ends the process.
//
// replay_test.cpp runs them over tests/fuzz/corpus in the ordinary tests; scripts/fuzz lets clang's libFuzzer
// look for new inputs.
#pragma once

#include <string_view>

namespace attnlab {

void fuzz_safetensors(std::string_view bytes);     ///< a safetensors file, header and tensors
void fuzz_token_lines(std::string_view bytes);     ///< JSON lines of token ids
void fuzz_tokenizer(std::string_view bytes);       ///< tokenizer.model, and texts and ids through it
void fuzz_tokenizer_json(std::string_view bytes);  ///< tokenizer.json, the same
void fuzz_hf_config(std::string_view bytes);       ///< config.json of a Hugging Face folder
void fuzz_hf_index(std::string_view bytes);        ///< model.safetensors.index.json beside one shard
void fuzz_squality(std::string_view bytes);        ///< JSON lines of SQuALITY
void fuzz_qasper(std::string_view bytes);          ///< QASPER v0.3, and LongBench's JSON lines of it
void fuzz_fairseq_file(std::string_view bytes);    ///< .idx and .bin of fairseq
void fuzz_pair_file(std::string_view bytes);       ///< prepared sentence pairs
void fuzz_subword_nmt(std::string_view bytes);  ///< codes and vocabulary of subword-nmt, fairseq's dict.txt

}  // namespace attnlab
