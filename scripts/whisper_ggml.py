#!/usr/bin/env python3
"""Writes a Whisper model of CTranslate2 (fp16) in whisper.cpp's ggml format.

usage: scripts/whisper_ggml.py MODEL.bin HEADER.bin OUT.bin

HEADER.bin is a ggml file without tensors: hyperparameters, mel filters and vocabulary of the same model.
Python's standard library is enough. A file that is not what it should be ends with a sentence and code 1.
"""
import re
import struct
import sys

F16 = 4  # CTranslate2's number of the type
RENAMES = [
    (r"self_attention/layer_norm/", "attn_ln/"),
    (r"decoder/(.*)/attention/layer_norm/", r"decoder/\1/cross_attn_ln/"),
    (r"ffn/layer_norm/", "mlp_ln/"),
    (r"ffn/linear_0/", "mlp/0/"),
    (r"ffn/linear_1/", "mlp/2/"),
    (r"encoder/layer_norm/", "encoder/ln_post/"),
    (r"decoder/layer_norm/", "decoder/ln/"),
    (r"position_encodings/encodings", "positional_embedding"),
    (r"embeddings/weight", "token_embedding/weight"),
    (r"/gamma$", "/weight"),
    (r"/beta$", "/bias"),
    (r"/layer_(\d+)/", r"/blocks/\1/"),
]


class reader:
    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, count):
        if self.at + count > len(self.data):
            raise ValueError("the file ends too early")
        self.at += count
        return self.data[self.at - count:self.at]

    def number(self, form):
        return struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))[0]

    def name(self):
        return self.take(self.number("H")).rstrip(b"\0").decode()


def variables(data):
    """(name, dims, bytes) of each fp16 tensor."""
    source = reader(data)
    source.number("I")
    if source.name() != "WhisperSpec":
        raise ValueError("this is no Whisper model of CTranslate2")
    source.number("I")
    for _ in range(source.number("I")):
        name = source.name()
        dims = [source.number("I") for _ in range(source.number("B"))]
        kind = source.number("B")
        content = source.take(source.number("I"))
        if dims and kind == F16:
            yield name, dims, content


def parts(name, dims, content):
    """CTranslate2 stacks query, key and value; ggml has them one by one, the key without a bias."""
    stacked = re.match(r"(.*/)(self_attention|attention)/linear_(\d)/(weight|bias)$", name)
    if not stacked:
        yield name, dims, content
        return
    block, kind, number, what = stacked.groups()
    names = {("self_attention", "0"): ["query", "key", "value"], ("self_attention", "1"): ["out"],
             ("attention", "0"): ["query"], ("attention", "1"): ["key", "value"],
             ("attention", "2"): ["out"]}[kind, number]
    to = "attn" if kind == "self_attention" else "cross_attn"
    size = len(content) // len(names)
    for i, one in enumerate(names):
        if (one, what) != ("key", "bias"):
            yield f"{block}{to}/{one}/{what}", [dims[0] // len(names), *dims[1:]], content[i * size:(i + 1) * size]


def tensor(name, dims, content):
    for pattern, to in RENAMES:
        name = re.sub(pattern, to, name)
    name = name.replace("/", ".")
    if re.search(r"conv\d\.bias$", name):
        dims = [dims[0], 1]
    is_f16 = len(dims) >= 2 and not re.search(r"conv\d\.bias$|positional_embedding$", name)
    if not is_f16:
        count = len(content) // 2
        content = struct.pack(f"<{count}f", *struct.unpack(f"<{count}e", content))
    return (struct.pack("<3i", len(dims), len(name), int(is_f16))
            + struct.pack(f"<{len(dims)}i", *reversed(dims)) + name.encode() + content)


def convert(model, header):
    if len(header) < 48 or header[:4] != b"lmgg":
        raise ValueError("the header is no ggml file")
    # The twelfth number is the type of the weights: 1 is fp16.
    yield header[:44] + struct.pack("<i", 1) + header[48:]
    for name, dims, content in variables(model):
        for part in parts(name, dims, content):
            yield tensor(*part)


def main():
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        with open(sys.argv[1], "rb") as model, open(sys.argv[2], "rb") as header, open(sys.argv[3], "wb") as out:
            for piece in convert(model.read(), header.read()):
                out.write(piece)
    except (OSError, ValueError, struct.error) as problem:
        print(f"whisper_ggml.py: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
