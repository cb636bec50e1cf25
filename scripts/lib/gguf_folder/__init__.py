"""A GGUF file made a Hugging Face folder: header.py reads what the file says of itself, config.py the model, weights.py
the tensors, tokenizer.py and sentencepiece.py the tokens; safetensors.py writes, convert.py is the whole way."""
