"""Forecasters of single channels as PatchTST has them: reversible instance normalisation, a replicated end, patches,
pre-norm blocks, a flattened head, with and without a linear skip from the
normalised steps, and maps of what is known of the steps seen and of those to come.

The pieces are spelled out and compared with PyTorch's own modules on the way.
"""

import torch
import torch.nn.functional as F
from torch import nn

from golden import Draw, agree, gradients, write

ROWS, D_MODEL, N_LAYERS, N_HEADS, D_FF = 3, 8, 2, 2, 12
EPSILON = 1e-5


def linear(p, name, x):
    return F.linear(x, p[f"{name}.weight"], p[f"{name}.bias"])


def norm(p, name, x):
    return F.layer_norm(x, (D_MODEL,), p[f"{name}.weight"], p[f"{name}.bias"], eps=1e-5)


def block(p, name, x):
    qkv = linear(p, f"{name}.attention.qkv", norm(p, f"{name}.norm1", x))
    q, k, v = qkv.unflatten(-1, (3, N_HEADS, -1)).permute(2, 0, 3, 1, 4)
    mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(-2)
    x = x + linear(p, f"{name}.attention.out", mixed)
    up = F.gelu(linear(p, f"{name}.feed_forward.up", norm(p, f"{name}.norm2", x)))
    return x + linear(p, f"{name}.feed_forward.down", up)


def shapes(positions, d_in, outputs):
    table = {"embed.patch.weight": (D_MODEL, d_in), "embed.patch.bias": (D_MODEL,)}
    table["embed.position.weight"] = (positions, D_MODEL)
    for i in range(N_LAYERS):
        for name, shape in (
            ("attention.qkv", (3 * D_MODEL, D_MODEL)),
            ("attention.out", (D_MODEL, D_MODEL)),
            ("norm1", (D_MODEL,)),
            ("norm2", (D_MODEL,)),
            ("feed_forward.up", (D_FF, D_MODEL)),
            ("feed_forward.down", (D_MODEL, D_FF)),
        ):
            table[f"blocks.{i}.{name}.weight"] = shape
            table[f"blocks.{i}.{name}.bias"] = shape[:1]
    table |= {"norm.weight": (D_MODEL,), "norm.bias": (D_MODEL,)}
    return table | {"head.weight": (outputs, positions * D_MODEL), "head.bias": (outputs,)}


class RevIN:
    """The layer of the RevIN authors' repository without its affine part."""

    def normalise(self, x):  # [rows, steps]
        self.mean = x.mean(1, keepdim=True).detach()
        self.scale = torch.sqrt(x.var(1, keepdim=True, unbiased=False) + EPSILON).detach()
        return (x - self.mean) / self.scale

    def restore(self, y):
        return y * self.scale + self.mean


def patches(x, length, stride, end_padding):
    if end_padding:
        x = nn.ReplicationPad1d((0, stride))(x[:, None])[:, 0]
    return x.unfold(-1, length, stride)  # [rows, positions, length]


def patch_means(known, length, stride, end_padding):
    """The mean over the real steps of each patch of `known` [rows, steps, features]: a replicated step does not count."""
    rows, steps, features = known.shape
    pad = stride if end_padding else 0
    cut = F.pad(known, (0, 0, 0, pad)).unfold(1, length, stride).sum(-1)
    count = F.pad(torch.ones(steps, dtype=known.dtype), (0, pad)).unfold(0, length, stride).sum(-1)
    return cut / count[:, None]


def forecast(name, steps, length, stride, end_padding, quantiles, horizon, skip=False, calendar=0):
    draw = Draw(11)
    positions = (steps + (stride if end_padding else 0) - length) // stride + 1
    parameters = {}
    table = shapes(positions, length, quantiles * horizon)
    if skip:
        table |= {"head.skip.weight": (quantiles * horizon, steps), "head.skip.bias": (quantiles * horizon,)}
    if calendar:
        table |= {"embed.calendar.weight": (D_MODEL, calendar), "head.calendar.weight": (quantiles, calendar)}
    for key, shape in table.items():
        around = 1.0 if "norm" in key and key.endswith("weight") else 0.0
        parameters[key] = draw.tensor(*shape, scale=0.5, around=around).requires_grad_()
    # Rows of different level and spread.
    x = draw.tensor(ROWS, steps) * torch.tensor([[1.0], [4.0], [0.25]]) + torch.tensor([[0.0], [8.0], [-2.0]])
    x = x.float().double()
    probe = draw.tensor(ROWS, quantiles, horizon)
    revin = RevIN()
    cut = patches(revin.normalise(x), length, stride, end_padding)
    # A convolution is the same map.
    weight = parameters["embed.patch.weight"][:, None]
    padded = F.pad(revin.normalise(x)[:, None], (0, stride if end_padding else 0), mode="replicate")
    agree(
        linear(parameters, "embed.patch", cut),
        F.conv1d(padded, weight, parameters["embed.patch.bias"], stride).mT,
    )
    hidden = linear(parameters, "embed.patch", cut) + parameters["embed.position.weight"]
    known = {}
    if calendar:
        for part, n_steps in (("seen", steps), ("to-come", horizon)):
            known[f"calendar-{part}"] = draw.tensor(ROWS, n_steps, calendar).float().double()
        means = patch_means(known["calendar-seen"], length, stride, end_padding)
        hidden = hidden + F.linear(means, parameters["embed.calendar.weight"])
    for i in range(N_LAYERS):
        hidden = block(parameters, f"blocks.{i}", hidden)
    flat = norm(parameters, "norm", hidden).flatten(1)
    told = linear(parameters, "head", flat)
    if skip:
        told = told + linear(parameters, "head.skip", revin.normalise(x))
    if calendar:
        of_steps = F.linear(known["calendar-to-come"], parameters["head.calendar.weight"])  # [rows, horizon, quantiles]
        told = told + of_steps.mT.flatten(1)
    output = revin.restore(told).unflatten(1, (quantiles, horizon))
    (output * probe).sum().backward()
    settings = torch.tensor([length, stride, int(end_padding), quantiles, horizon, int(skip), calendar])
    return {
        "name": name,
        "inputs": {"series": x, "settings": settings, "probe": probe} | known,
        "parameters": parameters,
        "outputs": {"patches": cut, "output": output},
        "gradients": gradients(parameters),
    }


write(
    __file__,
    [
        forecast("patchtst", 20, 4, 2, True, 1, 6),
        forecast("patchtst-indivisible", 19, 4, 3, True, 1, 5),
        forecast("quantiles-without-end-padding", 12, 3, 3, False, 3, 2),
        forecast("linear-skip", 16, 4, 2, True, 1, 5, skip=True),
        forecast("quantiles-with-a-linear-skip", 12, 3, 3, False, 3, 2, skip=True),
        forecast("calendar", 12, 4, 3, True, 1, 3, calendar=2),
        forecast("quantiles-with-a-calendar-and-a-skip", 12, 3, 3, False, 3, 2, skip=True, calendar=4),
    ],
)
