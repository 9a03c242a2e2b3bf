"""Pre-norm and post-norm encoder blocks with padding, from torch.nn.TransformerEncoderLayer."""

import torch
from torch import nn

from golden import Draw, gradients, hidden_by_length, write

BATCH, SEQ_LEN, D_MODEL, N_HEADS, D_FF = 2, 5, 8, 2, 16
LENGTHS = [SEQ_LEN, 3]
NAMES = {
    "attention.qkv.weight": "self_attn.in_proj_weight",  # rows q | k | v
    "attention.qkv.bias": "self_attn.in_proj_bias",
    "attention.out.weight": "self_attn.out_proj.weight",
    "attention.out.bias": "self_attn.out_proj.bias",
    "norm1.weight": "norm1.weight",
    "norm1.bias": "norm1.bias",
    "norm2.weight": "norm2.weight",
    "norm2.bias": "norm2.bias",
    "feed_forward.up.weight": "linear1.weight",
    "feed_forward.up.bias": "linear1.bias",
    "feed_forward.down.weight": "linear2.weight",
    "feed_forward.down.bias": "linear2.bias",
}


def case(norm_position, activation):
    draw = Draw(3)
    # PyTorch's "gelu" is the exact one, with erf. In training mode, because evaluation may take a fused path of
    # its own for padded batches; without dropout the two modes are the same function.
    layer = nn.TransformerEncoderLayer(
        D_MODEL,
        N_HEADS,
        D_FF,
        dropout=0.0,
        activation=activation,
        layer_norm_eps=1e-5,
        batch_first=True,
        norm_first=norm_position == "pre",
    ).train()
    theirs = dict(layer.named_parameters())
    parameters = {ours: theirs.pop(name) for ours, name in NAMES.items()}
    assert not theirs, f"parameters without a name of ours: {list(theirs)}"
    with torch.no_grad():
        for name, parameter in parameters.items():
            around = 1.0 if name in ("norm1.weight", "norm2.weight") else 0.0
            parameter.copy_(draw.tensor(*parameter.shape, scale=0.5, around=around))
    x = draw.tensor(BATCH, SEQ_LEN, D_MODEL).requires_grad_()
    padding = hidden_by_length(LENGTHS, SEQ_LEN)
    # Nothing reads a padded position's output, so its probe is zero, and so must be the gradient of its input.
    probe = draw.tensor(BATCH, SEQ_LEN, D_MODEL).masked_fill(padding[..., None], 0.0)

    output = layer(x, src_key_padding_mask=padding)
    (output * probe).sum().backward()
    assert not x.grad[padding].any()
    return {
        "name": f"{norm_position}-norm-{activation}",
        "inputs": {"x": x, "lengths": torch.tensor(LENGTHS), "probe": probe},
        "parameters": parameters,
        "outputs": {"output": output},
        "gradients": {"x": x.grad, **gradients(parameters)},
    }


write(__file__, [case(norm, activation) for norm in ("pre", "post") for activation in ("gelu", "relu")])
