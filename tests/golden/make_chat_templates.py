#!/usr/bin/env python3
"""Makes chat_templates.json: conversations as published chat templates (Jinja) write them, rendered by jinja2 in the way
of transformers' apply_chat_template.

    python tests/golden/make_chat_templates.py    needs jinja2
"""

import json
import pathlib

import jinja2.sandbox

# The templates of SmolLM2-135M-Instruct, Llama-2-7b-chat-hf, Meta-Llama-3-8B-Instruct and Mistral-7B-Instruct-v0.1, and the
# plain ChatML of Qwen1.5-0.5B-Chat, which says the system's message in another way; and that of Qwen2.5-0.5B-Instruct, of which
# the words about tools and calls are shortened. Of those that say more: a ChatML that begins with BOS, as Hermes-2-Pro's does;
# the default system's message of Qwen2.5-Math, which has braces and a backslash, and one with an apostrophe; Mistral-7B-Instruct-v0.1's
# as it was first and as it is now; and Llama 3's with a BOS of the model's own, its contents not trimmed.
TEMPLATES = {
    "smollm2": "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\n"
    "You are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + "
    "message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}"
    "{{ '<|im_start|>assistant\n' }}{% endif %}",
    "qwen": "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are"
    " a helpful assistant.<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + "
    "'<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
    "qwen2.5": "{%- if tools %}\n    {{- '<|im_start|>system\\n' }}\n    {%- if messages[0]['role'] == 'system' %}\n        "
    "{{- messages[0]['content'] }}\n    {%- else %}\n        {{- 'You are Qwen, created by Alibaba Cloud. You are a helpful "
    "assistant.' }}\n    {%- endif %}\n    {{- \"\\n\\n# Tools\\n\" }}\n    {%- for tool in tools %}\n        {{- tool | tojson }}\n"
    "    {%- endfor %}\n    {{- \"\\n</tools><|im_end|>\\n\" }}\n{%- else %}\n    {%- if messages[0]['role'] == 'system' %}\n"
    "        {{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}\n    {%- else %}\n        {{- "
    "'<|im_start|>system\\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\\n' }}\n    "
    "{%- endif %}\n{%- endif %}\n{%- for message in messages %}\n    {%- if (message.role == \"user\") or (message.role == "
    "\"system\" and not loop.first) or (message.role == \"assistant\" and not message.tool_calls) %}\n        {{- '<|im_start|>' "
    "+ message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}\n    {%- endif %}\n{%- endfor %}\n"
    "{%- if add_generation_prompt %}\n    {{- '<|im_start|>assistant\\n' }}\n{%- endif %}\n",
    "llama2": "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = "
    "messages[0]['content'] %}{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}"
    "{% for message in loop_messages %}{% if loop.index0 == 0 and system_message != false %}{% set content = '<<SYS>>\n' + "
    "system_message + '\n<</SYS>>\n\n' + message['content'] %}{% else %}{% set content = message['content'] %}{% endif %}"
    "{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ ' '  + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}",
    "llama3": "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + "
    "message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}"
    "{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}"
    "{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}",
    "hermes": "{{bos_token}}{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + "
    "'<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
    "qwen2.5-math": "{%- if messages[0]['role'] == 'system' %}\n    {{- '<|im_start|>system\\n' + messages[0]['content'] + "
    "'<|im_end|>\\n' }}\n{%- else %}\n    {{- '<|im_start|>system\\nPlease reason step by step, and put your final answer "
    "within \\\\boxed{}.<|im_end|>\\n' }}\n{%- endif %}\n{%- for message in messages %}\n    {%- if (message.role == \"user\") or "
    "(message.role == \"assistant\") %}\n        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + "
    "'\\n' }}\n    {%- endif %}\n{%- endfor %}\n{%- if add_generation_prompt %}\n    {{- '<|im_start|>assistant\\n' }}\n{%- endif %}\n",
    "apostrophe": "{%- if messages[0].role != 'system' %}{{- \"<|im_start|>system\\nYou're here to say \\\"yes\\\".<|im_end|>\\n\" }}"
    "{%- endif %}{%- for message in messages %}{{- '<|im_start|>' ~ message.role ~ '\\n' ~ message.content ~ '<|im_end|>\\n' }}"
    "{%- endfor %}{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}",
    "llama3, a BOS of its own": "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = "
    "'<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] + '<|eot_id|>' %}"
    "{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}",
    "mistral, first": "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}{{ '[INST] ' + "
    "message['content'] + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token + ' ' }}"
    "{% endif %}{% endfor %}",
    "mistral, now": "{%- if messages[0][\"role\"] == \"system\" %}\n    {%- set system_message = messages[0][\"content\"] %}\n    "
    "{%- set loop_messages = messages[1:] %}\n{%- else %}\n    {%- set loop_messages = messages %}\n{%- endif %}\n\n{{- bos_token }}\n"
    "{%- for message in loop_messages %}\n    {%- if message[\"role\"] == \"user\" %}\n        {%- if loop.first and system_message "
    "is defined %}\n            {{- \" [INST] \" + system_message + \"\\n\\n\" + message[\"content\"] + \" [/INST]\" }}\n"
    "        {%- else %}\n            {{- \" [INST] \" + message[\"content\"] + \" [/INST]\" }}\n        {%- endif %}\n"
    "    {%- elif message[\"role\"] == \"assistant\" %}\n        {{- \" \" + message[\"content\"] + eos_token}}\n    {%- endif %}\n"
    "{%- endfor %}\n",
    "mistral": "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}{{ '[INST] ' + "
    "message['content'] + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token }}"
    "{% endif %}{% endfor %}",
}
FORMATS = {"smollm2": "chatml", "qwen": "chatml", "qwen2.5": "chatml", "hermes": "chatml", "qwen2.5-math": "chatml",
           "apostrophe": "chatml", "llama3, a BOS of its own": "llama3", "mistral, first": "mistral", "mistral, now": "mistral"}
TOKENS = {"llama3": ("<|begin_of_text|>", "<|eot_id|>"), "hermes": ("<|begin_of_text|>", "<|im_end|>"),
          "llama3, a BOS of its own": ("<s>", "</s>")}
WITHOUT_SYSTEM = ("mistral", "mistral, first")
TALKS = {
    "one": [("user", "What is attention?")],
    "blanks": [("user", "  two\n\nlines \t")],
    "wide blanks": [("user", "\u00a0Hi\u3000\x1c")],
    "three": [("user", "Hi."), ("assistant", " Hello! \n"), ("user", "Name\na colour, \u00e4\u00f6\u00fc \u8272.")],
    "system": [("system", "Answer briefly."), ("user", "Why?"), ("assistant", "Because."), ("user", "Why not?")],
}


def main():
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    made = []
    for name, text in TEMPLATES.items():
        bos, eos = TOKENS.get(name, ("<s>", "</s>"))
        for talk, turns in TALKS.items():
            if name in WITHOUT_SYSTEM and turns[0][0] == "system":
                continue
            messages = [{"role": role, "content": content} for role, content in turns]
            rendered = environment.from_string(text).render(messages=messages, bos_token=bos, eos_token=eos,
                                                            add_generation_prompt=True)
            made.append(dict(template=name, format=FORMATS.get(name, name), talk=talk, jinja=text, bos=bos, eos=eos,
                             messages=messages, text=rendered))
    path = pathlib.Path(__file__).with_name("chat_templates.json")
    path.write_text(json.dumps(made, indent=0) + "\n")
    print(f"{path}: {len(made)} texts, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
