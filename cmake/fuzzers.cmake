# The fuzzers of tests/fuzz (preset fuzz, scripts/fuzz): clang's libFuzzer with AddressSanitizer and
# UndefinedBehaviorSanitizer around the parsers alone, compiled from their sources. The libraries above them would need
# g++'s OpenMP and take many minutes more to build, for nothing that the fuzzers can reach.
if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  message(FATAL_ERROR "the fuzzers need clang++, which brings libFuzzer; this is ${CMAKE_CXX_COMPILER}")
endif()
set(fuzz_options -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize=vptr -fno-sanitize-recover=undefined
                 -fno-omit-frame-pointer)

# attnlab_fuzzer(name source …): the program fuzz_<name> from tests/fuzz/<name>.cpp and sources below src/.
function(attnlab_fuzzer name)
  list(TRANSFORM ARGN PREPEND ${PROJECT_SOURCE_DIR}/src/)
  add_executable(fuzz_${name} ${PROJECT_SOURCE_DIR}/tests/fuzz/${name}.cpp
                 ${PROJECT_SOURCE_DIR}/tests/fuzz/libfuzzer/entry.cpp ${ARGN})
  target_include_directories(fuzz_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(fuzz_${name} PRIVATE ATTNLAB_FUZZ_TARGET=fuzz_${name})
  target_compile_options(fuzz_${name} PRIVATE ${fuzz_options})
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer,address,undefined)
  target_link_libraries(fuzz_${name} PRIVATE attnlab_options OpenSSL::Crypto nlohmann_json::nlohmann_json)
endfunction()

set(core core/files.cpp core/json_map.cpp core/json_nesting.cpp core/log.cpp core/plain_text.cpp core/shown.cpp
         core/stop.cpp core/utf8.cpp)
set(safetensors core/atomic_writer.cpp io/safetensors.cpp io/safetensors_header.cpp)
attnlab_fuzzer(safetensors ${core} ${safetensors})
set(json_lines data/json_lines.cpp data/tokenizers/json_node.cpp)
attnlab_fuzzer(token_lines ${core} ${json_lines} data/token_lines.cpp)
foreach(kind qasper squality)
  attnlab_fuzzer(${kind} ${core} ${json_lines} data/question_list.cpp data/${kind}.cpp)
endforeach()
file(GLOB_RECURSE tokenizers RELATIVE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/src/data/tokenizers/*.cpp
     ${PROJECT_SOURCE_DIR}/src/data/unicode/*.cpp)
foreach(kind tokenizer tokenizer_json)
  attnlab_fuzzer(${kind} ${core} data/tokenizer.cpp ${tokenizers})
  target_link_libraries(fuzz_${kind} PRIVATE sentencepiece)
endforeach()
attnlab_fuzzer(fairseq_file ${core} data/translation/fairseq_file.cpp)
attnlab_fuzzer(pair_file ${core} core/atomic_writer.cpp data/prepared.cpp data/translation/pair_file.cpp)
attnlab_fuzzer(subword_nmt ${core} data/words.cpp data/translation/dictionary.cpp data/translation/piece_vocabulary.cpp
               data/translation/subword_bpe.cpp data/translation/text_pairs_reader.cpp)
set(hf_config cache/rope_scaling.cpp io/hf_config.cpp io/hf_rope.cpp io/json_file.cpp models/decoder_options.cpp)
attnlab_fuzzer(hf_config ${core} ${hf_config})
attnlab_fuzzer(hf_index ${core} ${safetensors} ${hf_config} io/hf_shards.cpp io/not_a_model.cpp)
