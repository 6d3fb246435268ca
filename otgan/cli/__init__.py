"""The command ``otgan``: an error is one line on stderr that says what to do.

It exits with 0 if all went well, 1 if the exact solver could not prove its answer to ``--rtol`` (the interval is
printed), 2 for wrong input or an output that cannot be written, and 130 after Ctrl-C or SIGTERM.
"""

from __future__ import annotations

import errno
import io
import logging
import os
import re
import signal
import stat
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from otgan.cli.say import say
from otgan.errors import NotConverged, OTError
from otgan.runtime.optional import optional_dependency

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

EXPECTED = (OTError, OSError, MemoryError, KeyboardInterrupt)
NO_PLACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)  # of writing, to a stream too
LOADING_TORCH = (
    "check",
    "preflight",
    "train",
    "sample",
    "reproduce",
)  # commands whose first seconds go into importing it
NO_ROOM = re.compile("allocate memory|out of memory|size calculation overflowed")  # how torch says it


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        The words after ``otgan``; those of the process by default.

    Returns
    -------
    int
        The exit code.

    Examples
    --------
    >>> main(["distance", "digits:3", "digits:3"])
    W1(digits:3, digits:3) = 0.0
      proven: 0.0 to 0.0, relative gap 0
      183 and 183 points of 8 x 8 numbers, euclidean, by assignment
    0
    """
    if argv is None:
        argv = sys.argv[1:]
        _prepare_process()
    try:
        code = _run(list(argv))
        sys.stdout.flush()
    except SystemExit as stop:  # of tyro, after help or a word that it does not know
        return int(stop.code or 0)
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (*EXPECTED, RuntimeError) as error:
        if not isinstance(error, EXPECTED) and not NO_ROOM.search(str(error)):
            raise
        if "--debug" in argv:
            say(traceback.format_exc().rstrip(), sys.stderr)
        message, code = _explain(error)
        say(f"otgan: {' '.join(message.split())}", sys.stderr)
    return code


def _run(words: list[str]) -> int:
    """Do what ``words`` say."""
    if words[:1] == ["--version"]:
        from otgan import __version__

        print(f"otgan {__version__}")
        return 0
    if words[:1] and words[0] in LOADING_TORCH and "torch" not in sys.modules and not {"--help", "-h"} & {*words}:
        logging.getLogger("otgan").info("otgan: loading torch.")
    with optional_dependency("tyro", "cli", "The command line"):
        import tyro
    from otgan.cli.commands import CONFIG, Otgan
    from otgan.cli.train import settings_to_resume

    default = settings_to_resume(words)
    options: dict[str, Any] = {} if default is None else {"default": Otgan(default)}
    if default is not None and default.config.compile:
        words = [word for word in words if word != "--compile"]  # tyro knows the contrary alone
    return tyro.cli(Otgan, prog="otgan", args=words or ["--help"], config=CONFIG, **options).command.run()


def _explain(error: BaseException) -> tuple[str, int]:
    """What to say of an error, and the exit code."""
    if isinstance(error, KeyboardInterrupt):
        failed = f" And it failed meanwhile: {error.__cause__}" if isinstance(error.__cause__, OTError) else ""
        return (str(error) or "interrupted.") + failed, 130
    if isinstance(error, MemoryError):
        return f"out of memory ({error}). Use fewer points: --n.", 2
    if not isinstance(error, EXPECTED):  # what torch says where there is no room
        return f"out of memory ({str(error).splitlines()[0]}). Use fewer or smaller of what you asked for.", 2
    if isinstance(error, OSError) and error.filename is None and error.errno not in NO_PLACE:
        return f"the system refused: {error.strerror or error}.", 2
    if isinstance(error, OSError):  # what cannot be read is wrong input, and said where it is read
        where = "the output" if error.filename is None else os.fsdecode(error.filename)
        return f"cannot write {where}: {error.strerror or error}. Choose another place, or make room there.", 2
    return str(error), 1 if isinstance(error, NotConverged) else 2


def _tell_what_takes_long() -> None:
    """Let what is logged as information, such as that compiling begins, reach a terminal or a file on stderr."""
    try:
        seen = sys.stderr.isatty() or stat.S_ISREG(os.fstat(sys.stderr.fileno()).st_mode)
    except (OSError, ValueError):  # a stream that is no file
        return
    if seen:
        handler = logging.StreamHandler()  # which writes the message alone
        logger = logging.getLogger("otgan")
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)


def _prepare_process() -> None:
    if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:  # what is done is kept, as after Ctrl-C
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller; the next file would take its number
            setattr(sys, name, Path(os.devnull).open("r" if name == "stdin" else "w"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # an ASCII terminal shows ? for ±
    _tell_what_takes_long()
