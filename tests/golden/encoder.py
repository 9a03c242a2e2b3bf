"""A whole text classifier: embeddings, pre-norm blocks, a final norm, pooling over visible positions, a linear head.

The computation is spelled out in functions of the parameters by their names on disk, and compared with
torch.nn.TransformerEncoder on the way.
"""

import torch
import torch.nn.functional as F
from torch import nn

from golden import Draw, agree, gradients, hidden_by_length, write

BATCH, SEQ_LEN, VOCAB, D_MODEL, N_LAYERS, N_HEADS, D_FF, CLASSES = 3, 6, 11, 8, 2, 2, 16, 3
LENGTHS = [6, 4, 2]
PADDING_ID = 0


def shapes():
    table = {"embed.token.weight": (VOCAB, D_MODEL), "embed.position.weight": (SEQ_LEN, D_MODEL)}
    for i in range(N_LAYERS):
        table |= {
            f"blocks.{i}.attention.qkv.weight": (3 * D_MODEL, D_MODEL),  # rows q | k | v
            f"blocks.{i}.attention.qkv.bias": (3 * D_MODEL,),
            f"blocks.{i}.attention.out.weight": (D_MODEL, D_MODEL),
            f"blocks.{i}.attention.out.bias": (D_MODEL,),
            f"blocks.{i}.norm1.weight": (D_MODEL,),
            f"blocks.{i}.norm1.bias": (D_MODEL,),
            f"blocks.{i}.norm2.weight": (D_MODEL,),
            f"blocks.{i}.norm2.bias": (D_MODEL,),
            f"blocks.{i}.feed_forward.up.weight": (D_FF, D_MODEL),
            f"blocks.{i}.feed_forward.up.bias": (D_FF,),
            f"blocks.{i}.feed_forward.down.weight": (D_MODEL, D_FF),
            f"blocks.{i}.feed_forward.down.bias": (D_MODEL,),
        }
    return table | {
        "norm.weight": (D_MODEL,),
        "norm.bias": (D_MODEL,),
        "head.weight": (CLASSES, D_MODEL),
        "head.bias": (CLASSES,),
    }


def linear(p, name, x):
    return F.linear(x, p[f"{name}.weight"], p[f"{name}.bias"])


def norm(p, name, x):
    return F.layer_norm(x, (D_MODEL,), p[f"{name}.weight"], p[f"{name}.bias"], eps=1e-5)


def block(p, name, x, padding):
    qkv = linear(p, f"{name}.attention.qkv", norm(p, f"{name}.norm1", x))  # [batch, seq_len, 3 * d_model]
    q, k, v = qkv.unflatten(-1, (3, N_HEADS, -1)).permute(2, 0, 3, 1, 4)  # each [batch, heads, seq_len, d_head]
    mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=~padding[:, None, None, :])
    mixed = mixed.transpose(1, 2).flatten(-2)  # [batch, seq_len, d_model]
    x = x + linear(p, f"{name}.attention.out", mixed)
    up = F.gelu(linear(p, f"{name}.feed_forward.up", norm(p, f"{name}.norm2", x)))
    return x + linear(p, f"{name}.feed_forward.down", up)


def embed(p, ids):
    return p["embed.token.weight"][ids] + p["embed.position.weight"]


def encode(p, ids, padding):
    x = embed(p, ids)
    for i in range(N_LAYERS):
        x = block(p, f"blocks.{i}", x, padding)
    return norm(p, "norm", x)


def pool(x, padding, pooling):
    if pooling == "first":
        return x[:, 0]
    if pooling == "max":
        return x.masked_fill(padding[..., None], -torch.inf).amax(1)
    visible = (~padding)[..., None].double()
    return (x * visible).sum(1) / visible.sum(1)


def peer(p, ids, padding):
    """The same encoder as PyTorch's own module, for comparison."""
    layer = nn.TransformerEncoderLayer(
        D_MODEL, N_HEADS, D_FF, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    )
    encoder = nn.TransformerEncoder(layer, N_LAYERS, norm=nn.LayerNorm(D_MODEL), enable_nested_tensor=False).train()
    theirs = (
        ("blocks.", "layers."),
        ("attention.qkv.", "self_attn.in_proj_"),
        ("attention.out.", "self_attn.out_proj."),
        ("feed_forward.up.", "linear1."),
        ("feed_forward.down.", "linear2."),
    )
    state = {}
    for name, value in p.items():
        if name.startswith(("blocks.", "norm.")):
            for ours, other in theirs:
                name = name.replace(ours, other)
            state[name] = value.detach()
    encoder.load_state_dict(state, strict=True)
    return encoder(embed(p, ids), src_key_padding_mask=padding)


def case(pooling):
    draw = Draw(4)
    parameters = {}
    for name, shape in shapes().items():
        around = 1.0 if "norm" in name and name.endswith("weight") else 0.0
        parameters[name] = draw.tensor(*shape, scale=0.5, around=around).requires_grad_()
    padding = hidden_by_length(LENGTHS, SEQ_LEN)
    ids = draw.integers(1, VOCAB, BATCH, SEQ_LEN).masked_fill(padding, PADDING_ID)
    labels = torch.tensor([2, 0, 1])

    hidden = encode(parameters, ids, padding)
    agree(hidden, peer(parameters, ids, padding))
    logits = linear(parameters, "head", pool(hidden, padding, pooling))
    loss_per_row = F.cross_entropy(logits, labels, reduction="none")
    loss_per_row.mean().backward()
    grads = gradients(parameters)
    assert not grads["embed.token.weight"][PADDING_ID].any()
    return {
        "name": pooling,
        "inputs": {"ids": ids, "lengths": torch.tensor(LENGTHS), "labels": labels},
        "parameters": parameters,
        "outputs": {
            # Padded positions come out too, though nothing may depend on them; zero here, for they mean nothing.
            "encoded": hidden.masked_fill(padding[..., None], 0.0),
            "logits": logits,
            "loss_per_row": loss_per_row,
            "loss": loss_per_row.mean(),
        },
        "gradients": grads,
    }


write(__file__, [case(pooling) for pooling in ("mean", "first", "max")])
