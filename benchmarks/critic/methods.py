"""The settings of each method in the benchmark: the only place for tuned ones.

The settings of a method are the same in every cell; only ``steps`` follows from the budget of time.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from otgan.critics import METHODS


@dataclass(frozen=True)
class Setting:
    """A line of the table.

    Attributes
    ----------
    method : str
        A name of :func:`otgan.critics.methods`.
    options : dict
        What differs from the method's own defaults.
    trained : bool
        Whether more steps do more; if not, there is no budget to spend.
    """

    method: str
    options: dict[str, Any] = field(default_factory=dict)
    trained: bool = True

    @property
    def control(self) -> bool:
        """Whether it knows more than a critic may, and is no contender."""
        return METHODS[self.method].control

    @property
    def all_options(self) -> dict[str, Any]:
        """Every option of the method but ``steps``, defaults included."""
        chosen = METHODS[self.method].with_options(self.options)
        return {option.name: getattr(chosen, option.name) for option in fields(chosen) if option.name != "steps"}


# A name of its own may be given to a method with other options, to stand beside the defaults.
TUNED: dict[str, Setting] = {
    "discrete": Setting("discrete", trained=False),
}
SETTINGS: dict[str, Setting] = {name: Setting(name) for name in METHODS} | TUNED
