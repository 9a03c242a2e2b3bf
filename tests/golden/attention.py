"""Scaled dot-product attention under every kind of mask: weights, output and gradients.

softmax(q kᵀ / sqrt(d_head)) v, with q [batch, heads, query_len, d_head] and k, v [batch, heads, key_len, d_head].
"""

import torch
import torch.nn.functional as F

from golden import Draw, agree, hidden_by_length, write

BATCH, HEADS, QUERY_LEN, KEY_LEN, D_HEAD = 2, 2, 3, 4, 4


def attention(q, k, v, hidden):
    """Weights and output; a row with everything hidden has weights, output and gradients of exactly zero.

    PyTorch's softmax gives NaN for such a row. It is shown finite scores here, and its weights are then set to
    zero, which also stops its gradient.
    """
    empty = hidden.all(-1, keepdim=True)
    scores = q @ k.transpose(-1, -2) / D_HEAD**0.5
    weights = scores.masked_fill(hidden & ~empty, -torch.inf).softmax(-1).masked_fill(hidden, 0.0)
    return weights, weights @ v


def case(name, hidden, extra):
    draw = Draw(1)
    q = draw.tensor(BATCH, HEADS, QUERY_LEN, D_HEAD).requires_grad_()
    k = draw.tensor(BATCH, HEADS, KEY_LEN, D_HEAD).requires_grad_()
    v = draw.tensor(BATCH, HEADS, KEY_LEN, D_HEAD).requires_grad_()
    probe = draw.tensor(BATCH, HEADS, QUERY_LEN, D_HEAD)
    hidden = hidden.expand(BATCH, QUERY_LEN, KEY_LEN)

    weights, output = attention(q, k, v, hidden[:, None])
    (output * probe).sum().backward()

    visible = ~hidden.all(-1)[:, None, :, None]
    theirs = F.scaled_dot_product_attention(q, k, v, attn_mask=~hidden[:, None])
    agree(torch.where(visible, theirs, 0.0), output)
    assert not output[~visible.expand_as(output)].any()
    return {
        "name": name,
        "inputs": {"q": q, "k": k, "v": v, "probe": probe, "hidden": hidden, **extra},
        "outputs": {"weights": weights, "output": output},
        "gradients": {"q": q.grad, "k": k.grad, "v": v.grad},
    }


def main():
    none = torch.zeros(QUERY_LEN, KEY_LEN, dtype=torch.bool)
    # Counted from the end, as for queries that continue what the first keys began: the last query sees every key.
    causal = torch.ones(QUERY_LEN, KEY_LEN, dtype=torch.bool).triu(1 + KEY_LEN - QUERY_LEN)
    dense = torch.tensor(
        [
            [[0, 1, 0, 1], [1, 1, 1, 1], [1, 0, 0, 0]],
            [[0, 0, 0, 0], [1, 1, 1, 0], [0, 0, 1, 1]],
        ],
        dtype=torch.bool,
    )

    def padded(name, lengths, other=none):
        hidden = hidden_by_length(lengths, KEY_LEN)[:, None, :] | other
        return case(name, hidden, {"lengths": torch.tensor(lengths)})

    write(
        __file__,
        [
            case("none", none, {}),
            padded("padding", [4, 2]),
            padded("padding-empty-sequence", [3, 0]),
            case("causal", causal, {}),
            case("dense", dense, {}),
            padded("padding-causal", [4, 2], causal),
        ],
    )


main()
