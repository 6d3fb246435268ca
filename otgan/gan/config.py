"""The configuration of a run: one frozen dataclass for Python, the command line and the checkpoint.

Nothing here imports torch, so that the command line starts at once.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

from otgan import inputs
from otgan.errors import InvalidInput
from otgan.gan.options import OptionalBool, OptionalFloat, OptionalInt, OptionalOptimizer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["LIPSCHITZ_CRITICS", "OBJECTIVES", "Config", "Recipe"]

Objective = Literal["minimax", "non-saturating", "wgan", "wgan-gp", "wgan-lp", "wgan-lipschitz", "r3gan"]
Network = Literal["auto", "mlp", "digits28", "dcgan", "resnet"]
Critic = Literal["auto", "network", "own", "orthogonal", "orthogonal-abs", "aol", "sll", "spectral", "orthogonal-conv"]

OBJECTIVES: tuple[str, ...] = get_args(Objective)
LIPSCHITZ_CRITICS: tuple[str, ...] = get_args(Critic)[3:]
PENALISED = ("wgan-gp", "wgan-lp", "r3gan")
RESUMABLE_FIELDS = ("steps", "device", "devices")  # that may differ where a run is resumed
COUNTS = (
    *("n", "held_out", "width", "critic_width", "depth", "latent", "steps", "batch_size", "n_critic"),
    *("n_critic_boosted", "log_every", "monitor_n", "checkpoint_every", "devices"),
)
LARGEST_COUNT = 10**9  # of steps, samples, units: whatever is counted
MOST_HIDDEN_LAYERS = 1000  # as of critics
BOOSTED_FIRST_STEPS, BOOSTED_EVERY_STEPS = 25, 500  # of the generator, as in the code of the authors of WGAN


@dataclass(frozen=True)
class Recipe:
    """Hyperparameters of training, by default those of the objective's paper; each is an option of :class:`Config`.

    Attributes
    ----------
    optimizer : {"adam", "rmsprop"}
    learning_rate, critic_learning_rate : float
    beta1, beta2 : float
        Of Adam.
    n_critic : int
        Critic steps for each generator step.
    n_critic_boosted : int
        The same at the first 25 generator steps and at every 500th.
    batch_size : int
    clip : float or None
        c: after every step the critic's parameters are clipped to [-c, c].
    gp_weight : float or None
        Of the gradient penalty.
    """

    optimizer: Literal["adam", "rmsprop"]
    learning_rate: float
    critic_learning_rate: float
    beta1: float
    beta2: float
    n_critic: int
    n_critic_boosted: int
    batch_size: int
    clip: float | None = None
    gp_weight: float | None = None

    def critic_steps(self, step: int) -> int:
        """The number of critic steps before generator step ``step``, which is counted from 1.

        Examples
        --------
        >>> recipe = Config(objective="wgan", n_critic_boosted=100).recipe
        >>> [recipe.critic_steps(step) for step in (1, 25, 26, 500, 501)]
        [100, 100, 5, 100, 5]
        """
        boosted = step <= BOOSTED_FIRST_STEPS or step % BOOSTED_EVERY_STEPS == 0
        return self.n_critic_boosted if boosted else self.n_critic


def _adam(rate: float, betas: tuple[float, float], n_critic: int, batch_size: int, weight: float | None) -> Recipe:
    return Recipe("adam", rate, rate, *betas, n_critic, n_critic, batch_size, gp_weight=weight)


RECIPES: dict[str, Recipe] = {
    # Radford, Metz & Chintala 2016, section 4: what Goodfellow's two losses are trained with since.
    "minimax": _adam(2e-4, (0.5, 0.999), 1, 128, None),
    "non-saturating": _adam(2e-4, (0.5, 0.999), 1, 128, None),
    # Arjovsky, Chintala & Bottou 2017, Algorithm 1.
    "wgan": Recipe("rmsprop", 5e-5, 5e-5, 0.0, 0.9, 5, 5, 64, clip=0.01),
    # Gulrajani et al. 2017, Algorithm 1; Petzka, Fischer & Lukovnikov 2018 change the penalty alone.
    "wgan-gp": _adam(1e-4, (0.0, 0.9), 5, 64, 10.0),
    "wgan-lp": _adam(1e-4, (0.0, 0.9), 5, 64, 10.0),
    # No paper: WGAN-GP's settings, with the quicker critic that orthonormal layers bear.
    "wgan-lipschitz": replace(_adam(1e-4, (0.0, 0.9), 5, 64, None), critic_learning_rate=1e-3),
    # Huang et al. 2024, whose presets let the rate fall from 2e-4 to 5e-5 and beta2 rise from 0.9 to 0.99; constant
    # here. Their gamma follows the data, 0.05 for CIFAR-10 and 150 for faces of 256 pixels: 1 is that of ImageNet-64.
    "r3gan": _adam(2e-4, (0.0, 0.99), 1, 64, 1.0),
}


@dataclass(frozen=True)
class Config:
    """The configuration of a GAN run: data, objective, networks and training.

    Options that are None take the value of the objective's paper (:attr:`recipe`) or what fits the data
    (:meth:`resolved`).

    Raises
    ------
    InvalidInput
        If an option makes no sense, alone or with the others.

    Examples
    --------
    >>> config = Config(data="mnist:8", objective="wgan")
    >>> config.recipe.clip, config.recipe.n_critic
    (0.01, 5)
    >>> Config.from_json(config.to_json()) == config
    True
    """

    data: str = "mnist"
    """A built-in name (see: otgan data), a .npy, .npz, .csv, .pt or IDX file, or a folder of images."""
    n: OptionalInt = None
    """Samples to use; by default all of them, and 50000 of a distribution."""
    held_out: OptionalInt = None
    """Samples that are never trained on; by default a fifth, at most 1000."""
    objective: Objective = "wgan-gp"
    """What critic and generator minimise; wgan-gp is method gp of otgan check."""
    network: Network = "auto"
    """Both networks; by default digits28 for 28 x 28 pixels, dcgan for 32 and 64, else mlp."""
    critic: Critic = "auto"
    """The critic: that of the network, one that is 1-Lipschitz by construction (the default of wgan-lipschitz), or own:
    a module passed to otgan.gan.train."""
    width: OptionalInt = None
    """Hidden units of an mlp (512), base channels of convolutions (64)."""
    critic_width: int = 256
    """Hidden units of a 1-Lipschitz critic."""
    depth: int = 3
    """Hidden layers of an mlp and of a 1-Lipschitz critic."""
    latent: int = 100
    """Coordinates of the generator's input, standard normal."""
    batch_norm: OptionalBool = None
    """Batch norm in a convolutional critic; by default as in the papers: yes, unless gradients are penalised."""
    steps: int = 10_000
    """Steps of the generator."""
    batch_size: OptionalInt = None
    """Samples of each side in a step; by default the paper's."""
    n_critic: OptionalInt = None
    """Critic steps for each generator step; by default the paper's."""
    n_critic_boosted: OptionalInt = None
    """The same at the first 25 generator steps and at every 500th; by default no more than elsewhere."""
    optimizer: OptionalOptimizer = None
    """Of both networks; rmsprop for wgan, else adam."""
    learning_rate: OptionalFloat = None
    """Of the generator, and of the critic if it has none of its own; by default the paper's."""
    critic_learning_rate: OptionalFloat = None
    """Of the critic; by default as of the generator, or the paper's."""
    beta1: OptionalFloat = None
    """Momentum of adam; by default the paper's."""
    beta2: OptionalFloat = None
    """Decay of adam's mean of squares; by default the paper's."""
    clip: OptionalFloat = None
    """wgan only: parameters of the critic stay in [-clip, clip]; by default 0.01."""
    gp_weight: OptionalFloat = None
    """Weight of the gradient penalty; of R1 and R2 each, with their 1/2, for r3gan. By default the paper's."""
    ema_decay: float = 0.999
    """Of the moving average of the generator's weights, which samples come from; less in the first steps."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """bfloat16: mixed precision."""
    compile: bool = False
    """torch.compile the networks; of a critic whose gradient is penalised, the generator alone."""
    log_every: int = 50
    """Steps between two lines of losses in the log."""
    monitor_every: int = 500
    """Steps between two measurements of the exact W1, the first before training; 0 for none."""
    monitor_n: int = 500
    """Generated and held-out samples in a measurement; at most as many as are held out."""
    sample_every: int = 500
    """Steps between two grids of generated images; 0 for none."""
    checkpoint_every: int = 500
    """Steps between two checkpoints."""
    seed: int = 0
    """Seed of all random numbers."""
    device: str = "auto"
    """Where to train: auto, cpu, cuda, ..."""
    devices: int = 1
    """Processes that share each batch, on as many GPUs or on one CPU; batch norm takes means over each one's part."""

    def __post_init__(self) -> None:
        if not isinstance(self.data, str | os.PathLike) or not os.fspath(self.data):
            raise InvalidInput(f"data must be a built-in name or a path, but {self.data!r} came. See otgan data.")
        object.__setattr__(self, "data", os.fspath(self.data))
        self._check_choices()
        self._check_numbers()
        self._check_together()

    def _check_choices(self) -> None:
        inputs.choice(self.objective, "objective", OBJECTIVES)
        inputs.choice(self.network, "network", get_args(Network))
        inputs.choice(self.critic, "critic", get_args(Critic))
        inputs.choice(self.precision, "precision", ("float32", "bfloat16"))
        if self.optimizer is not None:
            inputs.choice(self.optimizer, "optimizer", ("adam", "rmsprop"))
        for name, value in (("batch_norm", self.batch_norm or False), ("compile", self.compile)):
            if not isinstance(value, bool):
                raise InvalidInput(f"{name} must be True or False, but {value!r} came.")
        object.__setattr__(self, "device", inputs.device_name(self.device))
        if not isinstance(self.device, str):
            raise InvalidInput(f"device must be the name of a torch device, but {self.device!r} came. Use 'auto'.")

    def _check_numbers(self) -> None:
        """Check numbers, and turn those of other kinds, such as NumPy's, into Python's own, for JSON."""
        for name in COUNTS:
            self._put(name, inputs.count, high=MOST_HIDDEN_LAYERS if name == "depth" else LARGEST_COUNT)
        for name in ("monitor_every", "sample_every"):
            self._put(name, inputs.count, low=0)
        self._put("seed", inputs.seed)
        for name in ("learning_rate", "critic_learning_rate", "clip", "gp_weight"):
            self._put(name, inputs.real, low=0.0, high=1e9, open_low=True)
        for name in ("beta1", "beta2", "ema_decay"):
            self._put(name, inputs.real, low=0.0, high=1.0)
            if getattr(self, name) == 1.0:
                raise InvalidInput(f"{name} must be below 1, but 1 came: nothing would be learnt. Use 0.999.")

    def _put(self, name: str, check: Callable[..., float], **limits: Any) -> None:
        if getattr(self, name) is not None or getattr(Config, name) is not None:  # None where that is the default
            object.__setattr__(self, name, check(getattr(self, name), name, **limits))

    def _check_together(self) -> None:
        if self.recipe.batch_size % self.devices:
            raise InvalidInput(
                f"batch_size must be a multiple of devices, which share it, but {self.recipe.batch_size} and "
                f"{self.devices} came. Change one of them."
            )
        if self.batch_norm and self.penalised:
            raise InvalidInput(
                f"objective {self.objective!r} cannot have batch norm in the critic: it penalises the gradient at each "
                "point, and batch norm makes a point's value depend on the whole batch (Gulrajani et al. 2017, section "
                "4). Leave batch_norm out, or use objective 'wgan'."
            )
        if self.clip is not None and self.objective != "wgan":
            raise InvalidInput(f"clip belongs to objective 'wgan', not to {self.objective!r}. Leave it out.")
        if self.gp_weight is not None and not self.penalised:
            raise InvalidInput(
                f"gp_weight belongs to the objectives {', '.join(PENALISED)}, not to {self.objective!r}. Leave it out."
            )
        if (self.beta1 is not None or self.beta2 is not None) and self.recipe.optimizer != "adam":
            raise InvalidInput("beta1 and beta2 belong to adam, but the optimizer is 'rmsprop'. Pass optimizer='adam'.")
        exact = self.critic in LIPSCHITZ_CRITICS
        if exact and self.objective in ("wgan", "wgan-gp", "wgan-lp"):
            raise InvalidInput(
                f"critic {self.critic!r} is 1-Lipschitz by construction, so {self.objective!r} has nothing to "
                "constrain. Use objective 'wgan-lipschitz'."
            )
        if self.objective == "wgan-lipschitz" and self.critic == "network":
            raise InvalidInput(
                "objective 'wgan-lipschitz' needs a critic that is 1-Lipschitz by construction: "
                f"{', '.join(LIPSCHITZ_CRITICS)}. Name one, or leave critic out."
            )
        if self.batch_norm and exact:
            raise InvalidInput(f"critic {self.critic!r} has no batch norm. Leave batch_norm out.")

    @property
    def penalised(self) -> bool:
        """Whether the critic's loss has a gradient penalty."""
        return self.objective in PENALISED

    @property
    def recipe(self) -> Recipe:
        """The hyperparameters of the objective's paper, replaced by those that were given.

        Examples
        --------
        >>> Config(objective="wgan-gp", learning_rate=2e-4).recipe.critic_learning_rate
        0.0002
        """
        paper = RECIPES[self.objective]
        given = {f.name: getattr(self, f.name) for f in fields(Recipe) if getattr(self, f.name) is not None}
        if self.learning_rate is not None:
            given.setdefault("critic_learning_rate", self.learning_rate)
        if self.n_critic is not None:
            given.setdefault("n_critic_boosted", self.n_critic)
        return replace(paper, **given)

    def resolved(self, shape: Sequence[int]) -> Config:
        """The configuration with every default written out, for samples of a shape.

        Parameters
        ----------
        shape : (d,), or (channels, height, width) of images

        Raises
        ------
        InvalidInput
            If the network cannot make samples of this shape.

        Examples
        --------
        >>> config = Config(objective="minimax").resolved((1, 28, 28))
        >>> config.network, config.critic, config.batch_norm, config.width, config.batch_size
        ('digits28', 'network', True, 64, 128)
        """
        network = _default_network(shape) if self.network == "auto" else self.network
        critic: Critic = self.critic
        if critic == "auto":
            critic = "orthogonal" if self.objective == "wgan-lipschitz" else "network"
        batch_norm = self.batch_norm
        if batch_norm is None:
            batch_norm = critic == "network" and network != "mlp" and not self.penalised
        if batch_norm and network == "mlp" and critic != "own":
            raise InvalidInput("network 'mlp' has no batch norm. Leave batch_norm out, or use a convolutional network.")
        width = self.width or (512 if network == "mlp" else 64)
        numbers = asdict(self.recipe)
        if self.recipe.optimizer != "adam":
            numbers["beta1"] = numbers["beta2"] = None
        return replace(self, network=network, critic=critic, batch_norm=batch_norm, width=width, **numbers)

    def to_json(self) -> str:
        """One line of JSON that :meth:`from_json` reads."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Config:
        """Read what :meth:`to_json` wrote.

        Raises
        ------
        InvalidInput
            If it is not that.
        """
        try:
            options = json.loads(text)
        except ValueError as error:
            raise InvalidInput(f"a configuration must be JSON, but it does not read as such ({error}).") from None
        if not isinstance(options, dict):
            raise InvalidInput(f"a configuration must be a JSON object, but a {type(options).__name__} came.")
        known = [field.name for field in fields(cls)]
        for name in options:
            if name not in known:
                raise InvalidInput(f"a configuration has no option {name!r}; its options are {', '.join(known)}.")
        return cls(**options)


def _default_network(shape: Sequence[int]) -> Any:
    side = tuple(shape[1:])
    if side == (28, 28):
        return "digits28"
    return "dcgan" if side in ((32, 32), (64, 64)) else "mlp"
