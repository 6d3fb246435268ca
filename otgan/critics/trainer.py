"""A way to train critics, as a function of two samples: for :func:`otgan.population_interval`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from otgan import inputs
from otgan.critics.fit import fit
from otgan.critics.methods import METHODS
from otgan.critics.networks import certify
from otgan.errors import InvalidInput, OTError

if TYPE_CHECKING:
    from otgan.critics.critic import Critic

__all__ = ["Trainer", "trainer"]


@dataclass(frozen=True)
class Trainer:
    """Trains a critic on two samples, and proves its Lipschitz constant.

    Attributes
    ----------
    method : str
    options : dict
        Of :func:`otgan.critics.fit`.
    """

    method: str
    options: dict[str, Any] = field(default_factory=dict)

    def __call__(self, x: Any, y: Any) -> tuple[Critic, float]:
        """The critic, high on x, and a proven bound on its slope; x (n, d) and y (m, d)."""
        critic = fit(x, y, self.method, **self.options).critic
        bound, unknown = certify(critic.network, (critic.dimension,))
        if bound is None:  # pragma: no cover - methods that are 1-Lipschitz by construction prove it
            raise OTError(f"nothing bounds {unknown} of the critic that was trained.")
        return critic, bound


def trainer(method: str = "auto", **options: Any) -> Trainer:
    """A function from two samples to a critic and its proven Lipschitz constant.

    Parameters
    ----------
    method : str, default "auto"
        One that is 1-Lipschitz by construction.
    **options
        Of :func:`fit`, such as ``steps`` and ``seed``.

    Returns
    -------
    Trainer

    Raises
    ------
    InvalidInput
        For a method that proves no constant.

    Examples
    --------
    >>> import numpy as np, otgan
    >>> x, y = np.random.default_rng(0).normal(size=(2, 100, 2)) + [[[3.0, 0.0]], [[0.0, 0.0]]]
    >>> train = otgan.critics.trainer("orthogonal", steps=20, width=16)
    >>> critic, constant = train(x, y)
    >>> bool(critic(x).mean() > critic(y).mean()), constant <= 1 + 1e-5
    (True, True)
    >>> interval = otgan.population_interval(x, y, train=train)
    """
    chosen = METHODS[inputs.choice(method, "method", tuple(METHODS))]
    if not chosen.exact_lipschitz:
        certain = ", ".join(repr(name) for name, one in METHODS.items() if one.exact_lipschitz)
        raise InvalidInput(f"method must be 1-Lipschitz by construction, one of {certain}, but {method!r} came.")
    return Trainer(method, options)
