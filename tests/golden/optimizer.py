"""The optimiser's side of a step: AdamW, SGD with momentum, clipping by the global norm, cross-entropy with label smoothing."""

import torch
import torch.nn.functional as F

from golden import Draw, agree, write

STEPS = 3


def adamw(name, weight_decay):
    draw = Draw(5)
    settings = {"lr": 1e-2, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": weight_decay}
    weight = draw.tensor(2, 3)
    inputs = {
        "learning_rate": settings["lr"],
        "beta_1": settings["betas"][0],
        "beta_2": settings["betas"][1],
        "epsilon": settings["eps"],
        "weight_decay": weight_decay,
    }
    parameters, outputs = {"weight": weight.clone()}, {}
    weight.requires_grad_()
    optimizer = torch.optim.AdamW([weight], **settings)
    for step in range(1, STEPS + 1):
        gradient = draw.tensor(2, 3)
        inputs[f"gradient.{step}"] = gradient
        weight.grad = gradient.clone()
        optimizer.step()
        state = optimizer.state[weight]
        outputs[f"weight.{step}"] = weight.detach().clone()
        outputs[f"first_moment.{step}"] = state["exp_avg"].clone()
        outputs[f"second_moment.{step}"] = state["exp_avg_sq"].clone()
    return {"name": name, "inputs": inputs, "parameters": parameters, "outputs": outputs}


def sgd(name, weight_decay):
    """PyTorch's SGD adds its decay to the gradient; the decay here is decoupled, so it is made by hand before."""
    draw = Draw(8)
    learning_rate, momentum = 1e-2, 0.9
    weight = draw.tensor(2, 3)
    inputs = {"learning_rate": learning_rate, "momentum": momentum, "weight_decay": weight_decay}
    parameters, outputs = {"weight": weight.clone()}, {}
    weight.requires_grad_()
    optimizer = torch.optim.SGD([weight], lr=learning_rate, momentum=momentum)
    for step in range(1, STEPS + 1):
        gradient = draw.tensor(2, 3)
        inputs[f"gradient.{step}"] = gradient
        weight.grad = gradient.clone()
        with torch.no_grad():
            weight.mul_(1 - learning_rate * weight_decay)
        optimizer.step()
        outputs[f"weight.{step}"] = weight.detach().clone()
        outputs[f"velocity.{step}"] = optimizer.state[weight]["momentum_buffer"].clone()
    return {"name": name, "inputs": inputs, "parameters": parameters, "outputs": outputs}


def clip(name, scale):
    draw = Draw(6)
    max_norm = 1.0
    before = [draw.tensor(*shape) * scale for shape in ((2, 3), (4,), (1, 2))]
    holders = [torch.zeros_like(value).requires_grad_() for value in before]
    for holder, value in zip(holders, before):
        holder.grad = value.clone()
    norm = torch.nn.utils.clip_grad_norm_(holders, max_norm)
    agree(norm, torch.cat([value.flatten() for value in before]).norm())
    return {
        "name": name,
        "inputs": {"max_grad_norm": max_norm, **{f"gradient.{i}": value for i, value in enumerate(before)}},
        "outputs": {"norm": norm, **{f"clipped.{i}": holder.grad for i, holder in enumerate(holders)}},
    }


def cross_entropy(name, smoothing):
    draw = Draw(7)
    logits = (draw.tensor(4, 3) * 4).requires_grad_()
    labels = torch.tensor([0, 2, 1, 2])
    loss_per_row = F.cross_entropy(logits, labels, reduction="none", label_smoothing=smoothing)
    loss_per_row.mean().backward()
    target = (1 - smoothing) * F.one_hot(labels, 3) + smoothing / 3
    agree(loss_per_row, -(target * logits.log_softmax(-1)).sum(-1))
    return {
        "name": name,
        "inputs": {"logits": logits, "labels": labels, "label_smoothing": smoothing},
        "outputs": {"loss_per_row": loss_per_row, "loss": loss_per_row.mean()},
        "gradients": {"logits": logits.grad},
    }


write(
    __file__,
    [
        adamw("adamw", 0.01),
        adamw("adamw-without-decay", 0.0),
        sgd("sgd", 0.01),
        sgd("sgd-without-decay", 0.0),
        clip("clip-above", 1.0),
        clip("clip-below", 1 / 16),
        cross_entropy("cross-entropy", 0.0),
        cross_entropy("cross-entropy-smoothed", 0.1),
    ],
)
