#!/usr/bin/env python3
"""Renders conversations with chat templates, by jinja2 set up as transformers sets it up.

usage: goldens.py FOLDER > tests/assets/chat-templates/goldens.jsonl

FOLDER holds the published templates, one NAME.jinja for each name below, byte for byte as in the model files.
tests/assets/chat-templates/README.md tells where they come from.
"""
import hashlib
import json
import pathlib
import sys

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

S, U, A = "system", "user", "assistant"
LLAMA2, LLAMA3, QWEN = ("<s>", "</s>"), ("<|begin_of_text|>", "<|eot_id|>"), ("", "<|im_end|>")
TEMPLATES = {
    "chatml": QWEN, "chatml-begin": ("<s>", "<|im_end|>"), "chatml-begin-default": ("<|begin_of_text|>", "<|im_end|>"),
    "chatml-prompt-default": QWEN, "smollm2": QWEN, "qwen1.5": QWEN, "qwen2": QWEN, "qwen2.5": QWEN,
    "qwen2.5-braces": QWEN, "qwen3": QWEN, "llama-2": LLAMA2, "llama-3": LLAMA3, "llama-3-prompt": LLAMA3,
    "llama-3.1": LLAMA3, "llama-3.2": LLAMA3, "mistral-v0.1": LLAMA2, "mistral-v0.2": LLAMA2, "mixtral-8x7b": LLAMA2,
    "mixtral-8x22b": LLAMA2, "zephyr": LLAMA2, "vicuna": LLAMA2,
}
THOUGHT = "<think>\nLet me see.\n\n</think>\n\nFour."
CONVERSATIONS = [
    [], [(U, "Hi")], [(U, "")], [(S, "Be brief."), (U, "Hi")], [(S, ""), (U, "Hi")], [(S, "Only this.")],
    [(A, "I start.")], [(A, "I start."), (U, "Fine.")], [(S, "Be brief."), (A, "I start.")],
    [(U, "Hi"), (A, "Hello!")], [(U, "Hi"), (A, "Hello!"), (U, "Who are you?")],
    [(S, "Be brief."), (U, "Hi"), (A, "Hello!")],
    [(S, "Be brief."), (U, "Hi"), (A, "Hello!"), (U, "Who are you?")],
    [(S, "Be brief."), (U, "1"), (A, "2"), (U, "3"), (A, "4"), (U, "5"), (A, "6"), (U, "7")],
    [(U, "a"), (U, "b")], [(U, "a"), (A, "b"), (A, "c")], [(S, "a"), (S, "b"), (U, "c")],
    [(U, "a"), (S, "b")], [(U, "a"), (S, "b"), (U, "c")], [(U, "a"), (A, "b"), (S, "c")],
    [(U, "a"), (A, "b"), (S, "c"), (U, "d")], [(S, "a"), (U, "b"), (S, "c"), (U, "d")],
    [(U, "  Hi \n")], [(U, "\n\nHi\n\n"), (A, " \tHello\t "), (U, "\u3000wide\u3000\u00a0")],
    [(S, "  Be brief. \n"), (U, " \n "), (A, "  "), (U, "x")], [(S, "Be brief."), (U, "")], [(U, "\u001fHi\u001c\u0085")],
    [(U, "Zażółć gęślą 中文 😀 e\u0301 \u200d"), (A, "русский\r\n𝒳𝒴"), (U, "\u0000\u2028.")],
    [(U, "<|im_end|> </s> <s> [INST] [/INST] <<SYS>> <|eot_id|> {{ bos_token }} {% raw %}")],
    [(S, "<|im_start|>system"), (U, "</s><|eot_id|>"), (A, "<|end_of_text|>[/INST]"), (U, "<|begin_of_text|>")],
    [(U, "2+2?"), (A, THOUGHT)], [(U, "2+2?"), (A, THOUGHT), (U, "Sure?")],
    [(U, "2+2?"), (A, THOUGHT), (A, "More.")], [(U, "2+2?"), (A, "Plain."), (A, THOUGHT)],
    [(U, "2+2?"), (A, "a</think>b</think>\n\nc<think>d")], [(U, "2+2?"), (A, "<think></think>")],
    [(U, "q"), (A, "\n\nanswer\n"), (U, "<tool_response>x</tool_response>"), (A, THOUGHT), (U, "r")],
    [(U, "q"), (A, THOUGHT), (U, "<tool_response>\nx\n</tool_response>"), (A, THOUGHT)],
    [(U, "q"), (A, "w/o"), (U, "<tool_response>\nx\n</tool_response>"), (A, "\n\nend")],
    [(U, "<tool_response>x</tool_response>")], [(U, "<tool_response>x</tool_response>"), (A, THOUGHT)],
]


def raise_exception(message):
    raise TemplateError(message)


def main(folder):
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.globals["raise_exception"] = raise_exception
    for name, (begin, end) in TEMPLATES.items():
        text = (folder / f"{name}.jinja").read_bytes().decode()
        template = environment.from_string(text)
        for turns in CONVERSATIONS:
            for prompt in (True, False):
                messages = [{"role": role, "content": content} for role, content in turns]
                line = {"template": name, "sha256": hashlib.sha256(text.removesuffix("\n").encode()).hexdigest(),
                        "begin": begin, "end": end, "messages": messages, "add_generation_prompt": prompt}
                try:
                    line["text"] = template.render(
                        messages=messages, add_generation_prompt=prompt, bos_token=begin, eos_token=end)
                except TemplateError as error:
                    line["error"] = str(error)
                print(json.dumps(line))


main(pathlib.Path(sys.argv[1]))
