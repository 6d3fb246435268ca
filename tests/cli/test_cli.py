"""The command line: every command, its output, and errors in one line."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import otgan
from otgan.cli import main
from otgan.critics import METHODS, Method
from otgan.exact import line

LIGHT = """
import sys
from otgan.cli import main
code = main({words!r})
heavy = {{"torch", "ot", "matplotlib", "numba", "sklearn"}} & set(sys.modules)
assert not heavy, heavy
raise SystemExit(code)
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_distance(capsys):
    assert main(["distance", "digits:3", "digits:8", "--n", "20"]) == 0
    out = capsys.readouterr().out
    x, y = (otgan.data.load(spec, n=20).points for spec in ("digits:3", "digits:8"))
    exact = otgan.wasserstein(x, y)
    assert out.startswith(f"W1(digits:3, digits:8) = {exact!r}\n  proven: ")
    assert "20 and 20 points of 8 x 8 numbers" in out
    assert max(map(len, out.splitlines())) <= 80


def test_distance_of_one_column_makes_no_plan_that_is_not_asked_for(capsys, monkeypatch):
    np.save("x.npy", np.arange(5.0)[:, None])
    np.save("y.npy", np.arange(5.0)[:, None] + 0.5)
    made = []
    usual = line.solve
    monkeypatch.setattr(line, "solve", lambda *args, **options: made.append(args) or usual(*args, **options))
    assert main(["distance", "x.npy", "y.npy"]) == 0
    assert not made
    assert main(["distance", "x.npy", "y.npy", "--json", "--plan", "plan.npz"]) == 0
    assert len(made) == 1
    out = capsys.readouterr().out
    text, record = out[: out.index("{")], json.loads(out[out.index("{") :])["exact"]
    assert text.startswith("W1(x.npy, y.npy) = 0.5\n  proven: ")
    assert record["lower"] <= 0.5 <= record["upper"]
    assert record["certificate"]["lower"] <= 0.5 <= record["certificate"]["upper"]
    assert np.load("plan.npz", allow_pickle=False)["mass"].tolist() == [0.2] * 5


def test_distance_as_json(capsys):
    words = ["distance", "digits:3", "digits:8", "--n", "20", "--p", "2", "--metric", "cityblock", "--json"]
    assert main([*words, "--plan", "plan.npz"]) == 0
    record = json.loads(capsys.readouterr().out)
    x, y = (otgan.data.load(spec, n=20).points for spec in ("digits:3", "digits:8"))
    assert record["exact"]["distance"] == otgan.wasserstein(x, y, 2, metric="cityblock")
    assert record["settings"]["p"] == 2
    with np.load("plan.npz", allow_pickle=False) as file:
        assert sorted(file) == ["col", "f", "g", "mass", "row", "shape"]
        cost = np.abs(x[file["row"]] - y[file["col"]]).sum(axis=1) ** 2
        assert file["mass"] @ cost == pytest.approx(record["exact"]["value"])


def test_distance_that_is_not_proven_prints_its_interval(capsys):
    words = ["distance", "digits:3", "digits:8", "--n", "20", "--rtol", "1e-16", "--json", "--plan", "plan.npz"]
    assert main(words) == 1
    out, err = capsys.readouterr()
    exact = json.loads(out)["exact"]
    assert exact["lower"] < exact["upper"]
    assert exact["status"] == "GAP"
    assert err.startswith("otgan: The optimal cost lies in [")
    assert len(err.splitlines()) == 1
    assert np.load("plan.npz", allow_pickle=False)["mass"].sum() == pytest.approx(1)


def test_check_writes_a_folder_and_says_when_it_replaces_one(capsys, elsewhere):
    words = ["check", "digits:3", "digits:8", "--n", "20", "--steps", "20", "--seeds", "2", "--methods", "gp"]
    assert main(words) == 0
    out = capsys.readouterr().out
    folder = elsewhere / "runs" / "check-digits-3-digits-8-20"
    assert out.endswith("\nReport: runs/check-digits-3-digits-8-20/report.html\n")
    assert max(map(len, out.splitlines())) <= 80
    assert out.count("\ngp ") == 2
    assert main(words) == 0
    assert "\nReport (replaced): runs" in capsys.readouterr().out
    assert {path.name for path in folder.iterdir()} >= {
        "plan.npz",
        "report.html",
        "report.json",
        "training_curves.png",
        "critics_against_exact.png",
    }
    record = json.loads((folder / "report.json").read_text())
    assert record["settings"]["seeds"] == 2
    assert main([*record["command"].split()[1:], "--out", "again"]) == 0
    again = json.loads((elsewhere / "again" / "report.json").read_text())
    assert again["critics"][0]["estimate"] == record["critics"][0]["estimate"]


@pytest.mark.usefixtures("undrawn")
def test_check_reports_what_did_not_diverge(capsys, monkeypatch):
    def estimates(self, network, x, y):
        return Method.estimates(self, network, x, y) * float("nan")

    monkeypatch.setattr(METHODS["prototypes"], "estimates", estimates)
    for name, seed in (("a.npy", 0), ("b.npy", 1)):
        np.save(name, np.random.default_rng(seed).normal(size=(25, 2)))
    assert main(["check", "a.npy", "b.npy", "--n", "20", "--steps", "20", "--methods", "prototypes", "clip"]) == 1
    out, err = capsys.readouterr()
    assert "\nclip " in out
    assert err.startswith("otgan: no prototypes: the critic of method 'prototypes' diverged by step")


@pytest.mark.usefixtures("undrawn")
def test_check_judges_a_critic_of_a_file(capsys, elsewhere):
    Path("mine.py").write_text(
        "from torch import nn\n\n\ndef build():\n"
        "    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(72, 1, bias=False))\n"
    )
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(72, 1, bias=False))
    save_file(critic.state_dict(), "w.safetensors")
    words = ["check", "digits:3", "digits:8", "--n", "20", "--steps", "20", "--seeds", "1", "--methods", "gp"]
    given = ["--critic", "mine.py:build", "--weights", "w.safetensors"]
    assert main([*words, *given]) == 0
    out = capsys.readouterr().out
    assert "\nmine.py:build: Its number" in out
    record = json.loads((elsewhere / "runs" / "check-digits-3-digits-8-20" / "report.json").read_text())
    assert shlex.join(given) in record["command"]
    mine, gp = record["critics"]
    assert (mine["method"], gp["method"]) == ("mine.py:build", "gp")
    samples = [otgan.data.load(name, n=20, seed=0).points for name in words[1:3]]
    values = [critic(torch.as_tensor(side).float().reshape(-1, 1, 8, 8)).mean().item() for side in samples]
    assert mine["estimate"] == pytest.approx(values[0] - values[1], rel=1e-5)
    assert mine["lipschitz_certified"] >= mine["lipschitz_observed"]
    assert main([*words, "--weights", "w.safetensors"]) == 2
    assert "otgan distance --weights" in capsys.readouterr().err


def test_data_lists_and_describes(capsys):
    assert main(["data"]) == 0
    out = capsys.readouterr().out
    assert all(f"{name} " in out for name in otgan.data.names())
    assert main(["data", "digits:3"]) == 0
    out = capsys.readouterr().out
    assert otgan.data.load("digits:3").sha256 in out
    assert "8 x 8" in out
    assert "183" in out


def test_version_and_help(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"otgan {otgan.__version__}\n"
    assert main([]) == 0
    nothing = capsys.readouterr().out
    assert main(["--help"]) == 0
    assert capsys.readouterr().out == nothing
    assert all(command in nothing for command in ("distance", "check", "data", "--version"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("distance digits:3 swissroll", "must have samples of one shape"),
        ("distance digits:3 nowhere.npy", "nowhere.npy"),
        ("distance digits:3 digits:99", "digits:LABEL must name one digit"),
        ("distance digits:3 digits:8 --n 0", "n must be at least 1"),
        ("distance digits:3 digits:8 --n 9999", "n must be at most 183"),
        ("distance digits:3 digits:8 --p 0.5", "p must lie in"),
        ("distance digits:3 digits:8 --rtol -1", "rtol must lie in"),
        ("distance digits:3 digits:8 --device gpu", "device 'gpu' cannot be used here"),
        ("distance digits:3 digits:8 --method line", "cannot take this problem"),
        ("distance digits:3 digits:8 --plan plan.txt", "written as .npz"),
        ("distance digits:3 digits:8 --plan no/where/plan.npz", "cannot write no/where/plan.npz: No such file"),
        ("distance digits:3 broken.npy", "broken.npy"),
        ("check digits:3 digits:8 --methods nope", "methods must be one of"),
        ("check digits:3 digits:8 --methods", "methods must name at least one"),
        ("check digits:3 digits:8 --n 9999", "n must be at most 183"),
        ("check digits:3 digits:8 --seeds 0", "seeds must be at least 1"),
        ("check digits:3 digits:8 --out broken.npy/run", "cannot write broken.npy/run: Not a directory"),
        ("data nothing-like-it", "built-in"),
    ],
)
def test_what_is_wrong_is_one_line_and_exit_code_2(words, message, capsys, elsewhere):
    (elsewhere / "broken.npy").write_bytes(b"\x93NUMPY")
    assert main(words.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert err.startswith("otgan: ")
    assert message in err
    assert not (elsewhere / "runs").exists()


@pytest.mark.parametrize("words", ["distance", "distance a", "distance a b --p x", "nothing", "data --nothing"])
def test_words_that_make_no_command_are_exit_code_2(words, capsys):
    assert main(words.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err


def stop(error):
    def solve(*_args, **_kwargs):
        raise error

    return solve


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (KeyboardInterrupt(), 130, "otgan: interrupted.\n"),
        (MemoryError("8 GiB"), 2, "otgan: out of memory (8 GiB). Use fewer points: --n.\n"),
        (otgan.OTError("two\nlines"), 2, "otgan: two lines\n"),
        (OSError(24, "Too many open files"), 2, "otgan: the system refused: Too many open files.\n"),
        (
            PermissionError(13, "Permission denied", "x"),
            2,
            "otgan: cannot write x: Permission denied. Choose another place, or make room there.\n",
        ),
    ],
)
def test_whatever_stops_it_has_one_line_and_a_code(error, code, line, capsys, monkeypatch):
    monkeypatch.setattr(sys.modules["otgan.solve"], "solve", stop(error))
    assert main(["distance", "digits:3", "digits:8"]) == code
    assert capsys.readouterr().err == line
    assert main(["distance", "digits:3", "digits:8", "--debug"]) == code
    err = capsys.readouterr().err
    assert err.startswith("Traceback")
    assert err.endswith(line)


def test_an_error_after_an_interrupt_is_told_with_it(capsys, monkeypatch):
    interrupt = KeyboardInterrupt()
    interrupt.__cause__ = otgan.OTError("no\nproof.")
    monkeypatch.setattr(sys.modules["otgan.solve"], "solve", stop(interrupt))
    assert main(["distance", "digits:3", "digits:8"]) == 130
    assert capsys.readouterr().err == "otgan: interrupted. And it failed meanwhile: no proof.\n"


def test_a_defect_is_not_hidden(monkeypatch):
    monkeypatch.setattr(sys.modules["otgan.solve"], "solve", stop(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        main(["distance", "digits:3", "digits:8"])


def test_without_tyro_it_says_what_to_install(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tyro", None)
    assert main(["data"]) == 2
    assert "pip install 'otgan[cli]'" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["check", "--help"], ["--version"], ["data"]])
def test_what_needs_no_heavy_package_imports_none(words):
    done = subprocess.run([sys.executable, "-c", LIGHT.format(words=words)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_as_a_process():
    words = ["distance", "digits:3", "digits:8", "--n", "20"]
    done = subprocess.run([sys.executable, "-m", "otgan", *words], capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stdout.startswith("W1(digits:3, digits:8) = ")
    assert done.stderr == ""


def test_a_reader_that_goes_away_is_no_error():
    process = subprocess.Popen([sys.executable, "-m", "otgan", "data"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.wait() == 141
    assert process.stderr.read() == b""
    process.stderr.close()


COMMAND = "import sys; sys.argv[0] = 'otgan'; import otgan_cli; sys.exit(otgan_cli.main())"
INTERRUPTED = """
import sys
class Interrupt:
    def find_spec(self, name, *rest):
        if name == {name!r}:
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupt())
"""


@pytest.mark.parametrize(
    ("words", "closed"),
    [("--version", ">&-"), ("distance digits:3 digits:8 --n 10 --plan plan.npz", "<&- >&- 2>&-")],
)
def test_closed_streams_are_no_error(words, closed):
    line = f"exec {shlex.quote(sys.executable)} -c {shlex.quote(COMMAND)} {words} {closed}"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    if "plan.npz" in words:
        assert np.load("plan.npz", allow_pickle=False)["mass"].sum() == pytest.approx(1)


AS_A_MODULE = "import sys, runpy; sys.argv[0] = 'otgan'; runpy.run_module('otgan', run_name='__main__')"


@pytest.mark.parametrize(("command", "name"), [(COMMAND, "numpy"), (COMMAND, "tyro"), (AS_A_MODULE, "tyro")])
def test_an_interrupt_during_imports_is_one_line(command, name):
    code = INTERRUPTED.format(name=name) + command
    words = ["distance", "digits:3", "digits:8"]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "otgan: interrupted.\n")


HOSTILE = "\x1b[31m\u202e$red^\x07"


def hostile_archive() -> None:
    arrays: dict[str, Any] = {HOSTILE: np.zeros((3, 2)), "y": np.zeros((3, 2))}
    np.savez("x.npz", **arrays)


def hostile_file() -> None:
    np.save(f"{HOSTILE}.npy", np.random.default_rng(0).normal(size=(30, 2)))


@pytest.mark.parametrize(
    "words",
    [
        ["distance", f"{HOSTILE}.npy", f"{HOSTILE}.npy"],
        ["distance", "x.npz", "digits:3"],
        ["data", f"{HOSTILE}.npy"],
        ["data", f"{HOSTILE}.csv", "--debug"],
        ["check", f"{HOSTILE}.npy", f"{HOSTILE}.npy", "--steps", "2", "--n", "9", "--methods", "gp", "--out", HOSTILE],
        ["train", "--data", f"{HOSTILE}.npy", "--steps", "1", "--monitor-every", "0"],
        ["sample", HOSTILE],
    ],
    ids=lambda words: words[0],
)
@pytest.mark.usefixtures("undrawn")
def test_names_do_not_command_the_terminal(words, elsewhere, capsys):
    hostile_archive()
    hostile_file()
    main(words)
    out, err = capsys.readouterr()
    assert out + err
    assert not {"\x1b", "\u202e", "\x07"} & {*out, *err}


@pytest.mark.usefixtures("undrawn")
def test_check_tells_each_number_at_once_and_keeps_what_is_done(capsys, monkeypatch, elsewhere):
    told = {}

    def step(self, *_):
        told.setdefault(self.name, capsys.readouterr().out)
        if self.name == "clip":
            raise KeyboardInterrupt

    monkeypatch.setattr(Method, "step", step)
    words = [
        "check",
        "gaussians8",
        "swissroll",
        "--n",
        "10",
        "--steps",
        "2",
        "--out",
        "kept",
        "--methods",
        "gp",
        "clip",
    ]
    assert main(words) == 130
    assert "exact W1 of those = " in told["gp"]
    assert told["clip"].startswith("  gp: ")
    out, err = capsys.readouterr()
    assert out == "\nReport: kept/report.html\n"
    assert err == "otgan: interrupted; what was done by then is in the report.\n"
    record = json.loads((elsewhere / "kept" / "report.json").read_text())
    assert [critic["method"] for critic in record["critics"]] == ["gp"]
    assert list(record["failed"]) == ["clip"]


def test_a_plan_that_cannot_be_written_loses_no_number(capsys, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device", "plan.npz")

    monkeypatch.setattr("otgan.report.save_plan", full)
    assert main(["distance", "digits:3", "digits:8", "--n", "10", "--plan", "plan.npz"]) == 2
    out, err = capsys.readouterr()
    assert out.startswith("W1(digits:3, digits:8) = ")
    assert "No space left" in err


@pytest.mark.parametrize(
    ("words", "told"),
    [(["check", "digits:3", "nothing.npy"], True), (["distance", "digits:3", "nothing.npy"], False)],
)
def test_that_torch_is_being_loaded_is_told_before_it_is(words, told, elsewhere):
    with (elsewhere / "log").open("w") as log:
        done = subprocess.run([sys.executable, "-c", COMMAND, *words], stderr=log)
    first, *rest = (elsewhere / "log").read_text().splitlines()
    assert (first == "otgan: loading torch.", len(rest)) == (told, int(told))
    assert done.returncode == 2


@pytest.mark.parametrize("where", ["file", "pipe"])
def test_compiling_is_told_where_somebody_reads_it(where, elsewhere):
    code = "import logging, sys; from otgan.cli import _prepare_process; _prepare_process(); "
    code += "from otgan.kernels import cache; [cache._tell('compile', 'compiling.', logging.INFO) for _ in range(2)]"
    with (elsewhere / "log").open("w") as log:
        stderr = log if where == "file" else subprocess.PIPE
        done = subprocess.run([sys.executable, "-c", code], stderr=stderr, text=True)
    assert (elsewhere / "log").read_text() == ("otgan: compiling.\n" if where == "file" else "")
    assert not done.stderr


@pytest.mark.parametrize("command", ["distance", "check", "train", "sample", "reproduce", "data"])
def test_help_says_in_words_what_is_taken_by_default(command, capsys):
    assert main([command, "--help"]) == 0
    assert "None" not in capsys.readouterr().out
