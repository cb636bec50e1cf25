"""Speed of llama.cpp, through llama-cpp-python: one text read up to a depth, and decoded from there.

usage: llama_cpp_speed.py FILE.gguf THREADS DEPTH TOKENS

Prints JSON: tokens a second of the prompt and of the median decoding step, the last of which ends at DEPTH.
"""

import ctypes
import json
import random
import statistics
import sys
import time

import llama_cpp

WARM_UP = 4


def decode(context, ids):
    array = (llama_cpp.llama_token * len(ids))(*ids)
    if llama_cpp.llama_decode(context, llama_cpp.llama_batch_get_one(array, len(ids))) != 0:
        sys.exit("llama_cpp_speed: llama_decode failed")
    llama_cpp.llama_synchronize(context)


def main():
    file, threads, depth, tokens = sys.argv[1], *map(int, sys.argv[2:])
    quiet = llama_cpp.llama_log_callback(lambda level, text, data: None)
    llama_cpp.llama_log_set(quiet, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    model = llama_cpp.llama_load_model_from_file(file.encode(), llama_cpp.llama_model_default_params())
    options = llama_cpp.llama_context_default_params()
    options.n_ctx, options.n_batch, options.n_ubatch = depth + 8, 2048, 512
    options.n_threads = options.n_threads_batch = threads
    context = llama_cpp.llama_init_from_model(model, options)
    draw = random.Random(1)
    ids = [draw.randrange(1000, 40000) for _ in range(depth)]
    prompt = depth - tokens - WARM_UP
    decode(context, ids[:64])  # pages of the weights
    llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(context), True)
    begin = time.perf_counter()
    for first in range(0, prompt, 2048):
        decode(context, ids[first : min(first + 2048, prompt)])
    prompt_seconds = time.perf_counter() - begin
    steps = []
    for token in ids[prompt:]:
        begin = time.perf_counter()
        decode(context, [token])
        steps.append(time.perf_counter() - begin)
    print(json.dumps({"prompt": prompt / prompt_seconds, "decode": 1 / statistics.median(steps[WARM_UP:])}))


if __name__ == "__main__":
    main()
