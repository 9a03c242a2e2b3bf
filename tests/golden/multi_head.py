"""Multi-head self-attention with a packed projection, from torch.nn.MultiheadAttention."""

import torch
from torch import nn

from golden import Draw, gradients, hidden_by_length, write

BATCH, SEQ_LEN, D_MODEL, N_HEADS = 2, 5, 8, 2


def case(name, lengths, causal):
    draw = Draw(2)
    layer = nn.MultiheadAttention(D_MODEL, N_HEADS, batch_first=True)
    parameters = {
        "qkv.weight": layer.in_proj_weight,  # rows q | k | v
        "qkv.bias": layer.in_proj_bias,
        "out.weight": layer.out_proj.weight,
        "out.bias": layer.out_proj.bias,
    }
    with torch.no_grad():
        for parameter in parameters.values():
            parameter.copy_(draw.tensor(*parameter.shape, scale=0.5))
    x = draw.tensor(BATCH, SEQ_LEN, D_MODEL).requires_grad_()
    padding = hidden_by_length(lengths, SEQ_LEN)
    # Nothing reads a padded position's output, so its probe is zero, and so must be the gradient of its input.
    probe = draw.tensor(BATCH, SEQ_LEN, D_MODEL).masked_fill(padding[..., None], 0.0)

    output, weights = layer(
        x,
        x,
        x,
        key_padding_mask=padding,
        attn_mask=torch.ones(SEQ_LEN, SEQ_LEN, dtype=torch.bool).triu(1) if causal else None,
        need_weights=True,
        average_attn_weights=False,
    )
    (output * probe).sum().backward()
    assert not x.grad[padding].any()
    return {
        "name": name,
        "inputs": {"x": x, "lengths": torch.tensor(lengths), "probe": probe},
        "parameters": parameters,
        "outputs": {"output": output, "weights": weights},
        "gradients": {"x": x.grad, **gradients(parameters)},
    }


write(
    __file__,
    [
        case("none", [SEQ_LEN, SEQ_LEN], causal=False),
        case("padding", [SEQ_LEN, 3], causal=False),
        case("padding-causal", [SEQ_LEN, 3], causal=True),
    ],
)
