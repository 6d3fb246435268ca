"""What a step of GAN training costs beside a loop written by hand."""

from __future__ import annotations

import statistics
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from common import arguments, machine, markdown, tell
from torch import nn

from otgan.gan import Config, train
from otgan.gan.dataset import Dataset, dataset
from otgan.gan.networks import build_critic, build_generator
from otgan.gan.networks.blocks import ConvToFew

if TYPE_CHECKING:
    from collections.abc import Callable

CASES = (("wgan", "gaussians25", 80), ("wgan-gp", "gaussians25", 60), ("wgan", "mnist:8", 4), ("wgan-gp", "mnist:8", 4))


def textbook(network: nn.Module) -> nn.Module:
    """The same network of torch's own layers, in torch's own memory format."""
    for name, layer in network.named_children():
        if isinstance(layer, ConvToFew):
            side = layer.kernel_size[0]
            plain = nn.Conv2d(layer.in_channels, layer.out_channels, side, padding=side // 2)
            plain.load_state_dict(layer.state_dict())
            setattr(network, name, plain)
    return network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]


def by_hand(config: Config, samples: Dataset, prepare: Callable[[nn.Module], nn.Module]) -> None:
    """Algorithm 1 of WGAN or of WGAN-GP, as one would write it down."""
    shape, recipe = samples.scaling.network_shape, config.recipe
    G, D = prepare(build_generator(config, shape, 0)), prepare(build_critic(config, shape, 1))
    if recipe.optimizer == "adam":
        betas = (recipe.beta1, recipe.beta2)
        G_optimizer: torch.optim.Optimizer = torch.optim.Adam(G.parameters(), recipe.learning_rate, betas)
        D_optimizer: torch.optim.Optimizer = torch.optim.Adam(D.parameters(), recipe.critic_learning_rate, betas)
    else:
        G_optimizer = torch.optim.RMSprop(G.parameters(), recipe.learning_rate)
        D_optimizer = torch.optim.RMSprop(D.parameters(), recipe.critic_learning_rate)
    data, n = samples.train, recipe.batch_size
    for _ in range(config.steps):
        for _ in range(recipe.n_critic):
            x = data[torch.randint(len(data), (n,))]
            with torch.no_grad():
                y = G(torch.randn(n, config.latent))
            loss = D(y).mean() - D(x).mean()
            if recipe.gp_weight is not None:
                share = torch.rand(n, *[1] * (x.ndim - 1))
                between = (share * x + (1 - share) * y).requires_grad_()
                (slope,) = torch.autograd.grad(D(between).sum(), between, create_graph=True)
                loss = loss + recipe.gp_weight * (slope.flatten(1).norm(dim=1) - 1).square().mean()
            D_optimizer.zero_grad()
            loss.backward()
            D_optimizer.step()
            if recipe.clip is not None:
                for p in D.parameters():
                    p.data.clamp_(-recipe.clip, recipe.clip)
        D.requires_grad_(False)
        loss = -D(G(torch.randn(n, config.latent))).mean()
        G_optimizer.zero_grad()
        loss.backward()
        G_optimizer.step()
        D.requires_grad_(True)


def a_step(run: Callable[[Config], Any], config: Config) -> float:
    """CPU milliseconds of a step, without what comes before the first."""
    once, start = time.process_time(), 0.0
    run(replace(config, steps=1))
    start = time.process_time()
    run(config)
    return 1000 * ((time.process_time() - start) - (start - once)) / (config.steps - 1)


def measure(objective: Any, data: str, steps: int, repeats: int) -> dict[str, Any]:
    """One row: medians of runs in turn, after one that is not timed."""
    config = Config(objective=objective, data=data, steps=steps, monitor_every=0, sample_every=0, device="cpu")
    samples = dataset(config, torch.device("cpu"))
    config = config.resolved(samples.scaling.network_shape)
    ways: dict[str, Callable[[Config], Any]] = {
        "otgan": train,
        "same networks": partial(by_hand, samples=samples, prepare=lambda network: network),
        "torch's layers": partial(by_hand, samples=samples, prepare=textbook),
    }
    seen: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(repeats + 1):
        for name, run in ways.items():
            taken = a_step(run, config)
            if turn:
                seen[name].append(taken)
    ours, same, torchs = seen.values()
    return {
        "objective": objective,
        "data": data,
        "otgan, ms": round(statistics.median(ours), 1),
        "by hand, same networks, ms": round(statistics.median(same), 1),
        "by hand, torch's layers, ms": round(statistics.median(torchs), 1),
        "ratio to same networks": round(_ratio(ours, same), 2),
        "ratio to torch's layers": round(_ratio(ours, torchs), 2),
    }


def _ratio(ours: list[float], theirs: list[float]) -> float:
    """The median over turns, since a machine that slows down from turn to turn slows both."""
    return statistics.median(x / y for x, y in zip(ours, theirs, strict=True))


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    repeats = options.repeats
    torch.set_num_threads(1)
    rows = [measure(*case, repeats) for case in CASES]
    words = (
        "CPU milliseconds of a step of the generator with its critic steps, one torch thread: medians of "
        f"{repeats} runs in turn, and of their ratios, after one that is not timed. Settings of the papers; otgan also "
        "averages the weights."
    )
    result = {"machine": machine(["otgan", "torch"]), "repeats": repeats, "rows": rows}
    tell(options, "gan_step", result, f"{words}\n\n{markdown(rows)}")


if __name__ == "__main__":
    main()
