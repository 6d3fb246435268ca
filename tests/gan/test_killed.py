"""SIGKILL at any moment: the run that goes on is the run that never stopped."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from otgan.gan import Config, load, train
from otgan.gan.log import read_log

# Each child is killed the moment it is about to write for the k-th time: to the log, before and after a checkpoint
# lies beside its place, and before and after it is put there. One process forks them all, before torch has threads.
KILLED = """
import os, signal, sys
import torch
torch.set_num_threads(1)
from otgan.gan import Config, train
from otgan.gan.log import Log
from otgan.runtime import files

config = Config.from_json(sys.argv[1])

def dying(function, moment, counter):
    def call(*arguments):
        counter[0] += 1
        if counter[0] == moment:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments)
    return call

train(config)  # compiled kernels are loaded once, and not by each child
for moment in map(int, sys.argv[3:]):
    child = os.fork()
    if not child:
        counter = [0]
        Log.write = dying(Log.write, moment, counter)
        Log.settle = dying(Log.settle, moment, counter)
        files.os.fsync = dying(files.os.fsync, moment, counter)
        files.os.replace = dying(files.os.replace, moment, counter)
        train(config, os.path.join(sys.argv[2], str(moment)))
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, (moment, status)
"""
MOMENTS = (1, 2, 4, 5, 6, 8, 11, 12, 13, 14, 15, 17, 20, 23)
CONFIG = Config(
    data="gaussians8",
    n=60,
    steps=8,
    width=8,
    depth=1,
    latent=3,
    batch_size=8,
    monitor_every=2,
    log_every=2,
    checkpoint_every=3,
    sample_every=0,
)


def timeless(path: Path) -> list[dict]:
    return [
        {k: v for k, v in r.items() if k not in ("seconds", "cost", "environment")}
        for r in read_log(path / "log.jsonl")
    ]


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_run_goes_on_as_if_nothing_had_happened(tmp_path) -> None:
    whole = train(CONFIG, tmp_path / "whole")
    words = [sys.executable, "-c", KILLED, CONFIG.to_json(), str(tmp_path), *map(str, MOMENTS)]
    subprocess.run(words, check=True, timeout=200)
    assert list(tmp_path.glob("*/.checkpoint*")), "no run was killed while it wrote a checkpoint"
    steps = set()
    for moment in MOMENTS:
        folder = tmp_path / str(moment)
        started = (folder / "checkpoint.safetensors").exists()
        if started:
            steps.add(load(folder).step)
        run = train(CONFIG, folder, resume=started)
        assert all(
            bool((ours == theirs).all())
            for ours, theirs in zip(
                [*run.generator.state_dict().values(), *run.critic.state_dict().values()],
                [*whole.generator.state_dict().values(), *whole.critic.state_dict().values()],
                strict=True,
            )
        ), moment
        assert {path.name for path in folder.iterdir()} == {"checkpoint.safetensors", "log.jsonl"}
        assert timeless(folder) == timeless(tmp_path / "whole"), moment
    assert steps == {0, 3, 6}
