"""Available memory: the least of what the machine, the container and the process's own limits leave.

Exceeding a limit is a MemoryError at best; in a container the process is killed without a message.
"""

from __future__ import annotations

import os
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["available", "fits", "gib"]

BLINK = 2**26  # bytes; asking the system whether so little is there would take longer than many a solve
UNLIMITED = 2**63  # bytes
GROUPS = Path("/sys/fs/cgroup")
PROCESS = Path("/proc")


def fits(size: int) -> bool:
    """Whether ``size`` bytes can be had; a few always can.

    Examples
    --------
    >>> fits(1000), fits(10**18)
    (True, False)
    """
    return size <= BLINK or size <= available()


def available() -> int:
    """Bytes that this process may still take: what the machine has free, its containers and its limits leave."""
    return max(0, min(chain((_physical(), _free()), _left_by_groups(), _left_by_limits())))


def gib(size: int) -> str:
    """A number of bytes for people.

    Examples
    --------
    >>> gib(3 * 2**29)
    '1.5 GiB'
    """
    return f"{size / 2**30:.3g} GiB"


def _physical() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not a POSIX system: let the allocator decide
        return UNLIMITED


def _free() -> int:
    """What Linux could give without swapping."""
    return _numbers(PROCESS / "meminfo").get("MemAvailable", UNLIMITED)


def _left_by_groups() -> Iterator[int]:
    """What each control group, of either version, leaves of its limit; those of containers are seen as roots."""
    for line in _text(PROCESS / "self" / "cgroup").splitlines():
        _, controllers, name = line.split(":", 2)
        if controllers in ("", "memory"):
            root = GROUPS if not controllers else GROUPS / "memory"
            folder = root / name.lstrip("/")
            for group in (folder, *folder.parents):
                if group.is_relative_to(root):
                    yield _left_by_group(group)


def _left_by_group(group: Path) -> int:
    limit = _number(group / "memory.max", group / "memory.limit_in_bytes")
    if limit is None:
        return UNLIMITED
    used = _number(group / "memory.current", group / "memory.usage_in_bytes") or 0
    counts = _numbers(group / "memory.stat")
    files = counts.get("total_inactive_file", counts.get("inactive_file", 0))  # read once, and dropped when need be
    return limit - max(used - files, 0)


def _left_by_limits() -> Iterator[int]:
    """What is left of the address space and of the data segment, where ``ulimit`` bounds them."""
    try:
        import resource
    except ImportError:  # not a POSIX system
        return
    pages = [int(word) for word in _text(PROCESS / "self" / "statm").split()] or 7 * [0]
    for limit, used in ((resource.RLIMIT_AS, pages[0]), (resource.RLIMIT_DATA, pages[5])):
        soft, _ = resource.getrlimit(limit)
        if soft != resource.RLIM_INFINITY:
            yield soft - used * resource.getpagesize()


def _number(*paths: Path) -> int | None:
    """The number in the first of the files that is there; None for none, or where it says "max"."""
    text = next(filter(None, map(_text, paths)), "").strip()
    return int(text) if text.isdigit() else None


def _numbers(path: Path) -> dict[str, int]:
    """The bytes by name in a file of lines such as ``MemAvailable: 20 kB`` or ``inactive_file 4096``."""
    numbers = {}
    for line in _text(path).splitlines():
        name, number, *unit = line.split()
        numbers[name.rstrip(":")] = int(number) * (1024 if unit == ["kB"] else 1)
    return numbers


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
