"""What can go wrong with W&B: each is one sentence with the next step, said in time."""

from __future__ import annotations

import base64
import builtins
import os
import re
import subprocess
import sys
from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest

from tests.storage.wandb_service import KEY, OTHER_KEY, Fault, Service, StoredRun, rows
from viz3d.errors import NoFormat, WandbError
from viz3d.formats import limits, table_builder
from viz3d.load import list_runs, load_run, load_runs
from viz3d.sources import wandb_faults
from viz3d.sources.base import Source
from viz3d.sources.wandb import Client
from viz3d.sources.wandb_address import parse_wandb
from viz3d.sources.wandb_faults import KINDS, explain, wandb_fault

Open = Callable[..., Source]
# Deadlines of 0.15 of their length; the client's own pause before it asks again is a second.
PATIENCE = 0.15


def failure(source: Source) -> WandbError:
    """Return why a source cannot be listed."""
    with pytest.raises(WandbError) as caught:
        list_runs(source)
    assert KEY not in str(caught.value)
    assert OTHER_KEY not in str(caught.value)
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        ("401", "refused_login", "does not accept the key"),
        ("403", "no_permission", "may not read wandb://team/nano"),
        ("404", "bad_answer", "status 404"),
        ("500", "service_down", "status 500"),
        ("429", "too_many_requests", "fewer requests"),
        ("html", "portal", "web page"),
        ("permission denied", "no_permission", "may not read"),
        ("Cannot query field", "bad_answer", "Cannot query field"),
        ("cut", "unreachable", "broke off"),
        ("drop", "unreachable", "broke off"),
    ],
)
def test_an_answer_that_is_none_is_explained(service, open_wandb, fault, kind, said):
    """Whatever the service, or something on the way to it, answers."""
    service.fault = Fault(fault)
    error = failure(open_wandb(patience=PATIENCE))
    assert error.kind == kind
    assert said in error.what


@pytest.mark.deadline
def test_a_dead_network_is_said_in_time(service, open_wandb, monkeypatch):
    """A service that takes the question and never answers, and one that nobody runs."""
    open_wandb()  # the client itself is loaded before the clock starts
    service.fault = Fault("hang")
    began = monotonic()
    error = failure(open_wandb(patience=PATIENCE))
    took = monotonic() - began
    (told,) = re.findall(r"has not answered within ([\d.]+) s", error.what)
    assert error.kind == "stalled"
    assert 10 * PATIENCE <= float(told) <= took + 0.05  # as it is rounded
    assert took < 15 * PATIENCE + 1
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    error = failure(open_wandb(patience=PATIENCE))
    assert (error.kind, "nothing answers there" in error.what) == ("unreachable", True)


def test_a_limit_of_requests_is_respected_and_told(service, open_wandb):
    """The pause that the service asks for is kept; the viewer reads why nothing moves."""
    service.fault = Fault("429", on="Runs", times=2, headers={"Retry-After": "1"})
    source, told, times = open_wandb(), [], []
    source.tell = told.append
    service.before = lambda question: times.append(monotonic())
    assert len(list_runs(source)) == 3
    assert service.counts == {"Viewer": 1, "Runs": 3}
    assert times[2] - times[1] > 0.9
    assert any("fewer requests. Trying again" in text for text in told)


def test_names_that_are_none_are_told_apart(service, open_wandb):
    """No such user or team, no such project, and one that this key may not see."""
    error = failure(open_wandb("wandb://nobody/nano"))
    assert (error.kind, "nobody" in error.what) == ("no_entity", True)
    error = failure(open_wandb("wandb://team/nanp"))
    assert error.kind == "no_project"
    assert "Nearest: wandb://team/nano" in error.what
    error = failure(open_wandb(wandb_api_key=OTHER_KEY))
    assert error.kind == "no_project"
    assert "that the W&B user stranger can see" in error.what


def test_keys(service, open_wandb, monkeypatch, tmp_path):
    """No key, one that is none, a wrong one, and one that `wandb login` left."""
    error = failure(open_wandb(wandb_api_key=""))
    assert (error.kind, "WANDB_API_KEY" in error.remedy) == ("no_credentials", True)
    assert service.asked == []
    secret = "short-secret!"
    error = failure(open_wandb(wandb_api_key=secret))
    assert (error.kind, secret in str(error)) == ("bad_key", False)
    assert failure(open_wandb(wandb_api_key="d" * 40)).kind == "refused_login"
    host = service.url.removeprefix("http://")
    (tmp_path / "netrc").write_text(f"machine {host}\n login user\n password {KEY}\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert len(list_runs(open_wandb(wandb_api_key=""))) == 3


@pytest.mark.parametrize(
    ("setting", "named"),
    [("WANDB_BASE_URL", "WANDB_BASE_URL"), ("WANDB_HTTP_TIMEOUT", "WANDB_")],
)
def test_a_setting_that_the_package_refuses_is_named(tmp_path, setting, named):
    """It is read when the package is loaded, so by a process of its own; no traceback."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("WANDB_")}
    env |= {"WANDB_API_KEY": KEY, "VIZ3D_CACHE_DIR": str(tmp_path), setting: "nonsense"}
    command = [sys.executable, "-m", "viz3d", "list", "wandb://team/nano"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert f"refuses the value of {named}" in done.stderr.replace("one of the variables ", "")


def test_a_run_that_is_deleted_meanwhile(service, open_wandb):
    """It was listed, and is gone when its history is asked for."""
    source = open_wandb()
    [info] = [info for info in list_runs(source) if info.name == "sweep"]
    del service.runs["aaa"]
    with pytest.raises(WandbError, match="no longer in wandb://team/nano") as caught:
        load_run_of(source, info)
    assert caught.value.kind == "deleted"


def load_run_of(source: Source, info: Any) -> Any:
    """Load an entry of a listing that was made before."""
    return load_runs(source, info)


def test_one_run_that_fails_stops_no_other(service, open_wandb):
    """The others are there; what was wrong is told with its name."""
    source = open_wandb(patience=PATIENCE)
    infos = list_runs(source)
    answer = Service.answer

    def odd(self: Service, question: str, about: dict[str, Any], who: str) -> dict[str, Any]:
        if about.get("run") == "bbb":
            return {"project": {"run": {"history": [7]}}}
        return answer(self, question, about, who)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Service, "answer", odd)
        runs = load_runs(source)
    assert [run.name for run in runs] == ["live", "sweep"]
    assert any("rows are no text" in str(problem) for run in runs for problem in run.problems)
    assert len(infos) == 3


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"project": 3},
        {"project": {"runs": None}},
        {"project": {"runs": {"edges": [{"node": {}}], "pageInfo": {}}}},
        {"project": {"runs": {"edges": [], "pageInfo": {}}}},
        {"project": {"runs": {"edges": [{"node": {"name": "x", "id": "y",
                                                  "historyLineCount": "many"}}]}}},
    ],
)  # fmt: skip
def test_an_answer_of_another_shape_is_one_sentence(service, open_wandb, monkeypatch, answer):
    """Whatever a service of another version says."""
    real = Service.answer
    monkeypatch.setattr(
        Service,
        "answer",
        lambda self, question, about, who: (
            answer if question == "Runs" else real(self, question, about, who)
        ),
    )
    assert failure(open_wandb()).kind in ("bad_answer", "no_project")


def test_without_the_package_it_says_what_to_install(service, open_wandb, monkeypatch):
    """The rest of viz3d works without it; so does what was read before."""
    digest = load_run(open_wandb(), "sweep").digest
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.partition(".")[0] == "wandb":
            raise ModuleNotFoundError("No module named 'wandb'", name="wandb")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    error = failure(open_wandb("wandb://team/other"))
    assert (error.kind, "pip install" in error.remedy) == ("not_installed", True)
    assert load_run(open_wandb(), "sweep").digest == digest


def test_a_full_disk_is_said(service, open_wandb, monkeypatch):
    """The history cannot be kept; nothing half is left behind."""
    source = open_wandb()
    list_runs(source)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(source.cache), "keep", full)
    with pytest.raises(WandbError, match="disk is full"):
        load_run(source, "sweep")


def test_a_kept_history_over_a_cap_that_grows_is_said(service, open_wandb, monkeypatch):
    """It is declined by its name as before it grew; the runs beside it are read."""
    assert len(load_run(open_wandb(), "live").history) == 20
    monkeypatch.setattr(limits, "NUMBERS", 120)
    for _ in range(2):
        with pytest.raises((NoFormat, WandbError), match="more than 120 numbers; set VIZ3D_MAX_N"):
            load_run(open_wandb(), "live")
        service.runs["ccc"].rows += rows(5, start=len(service.runs["ccc"].rows))
    loaded = load_runs(open_wandb(), "sweep")
    assert [run.name for run in loaded] == ["sweep"]
    assert any("VIZ3D_MAX_NUMBERS" in str(told) for told in load_runs(open_wandb())[0].problems)


@pytest.mark.parametrize("sparse", [False, True])
def test_a_history_over_a_cap_is_asked_for_once(service, open_wandb, monkeypatch, sparse):
    """It is declined by its name; what came stays, and is enough when the cap is raised."""
    cap = limits.NUMBERS
    service.add(StoredRun("x", "x", rows(2_500)))
    if sparse:  # as many numbers, each of which needs to be told its row
        monkeypatch.setattr(table_builder, "PIECE", 1_000)
        service.runs["x"].rows = [
            {"_step": step, f"loss/{step % 7}": 1.0, f"lr/{step % 5}": 0.1} for step in range(2_500)
        ]
    for _ in range(2):
        monkeypatch.setattr(limits, "NUMBERS", 19_000)
        with pytest.raises(WandbError, match=r"more than 19,000 numbers; set VIZ3D_MAX_NUMBERS"):
            load_run(open_wandb(), "x")
    monkeypatch.setattr(limits, "NUMBERS", cap)
    assert len(load_run(open_wandb(), "x").history) == 2_500
    asked = [about["minStep"] for name, about in service.asked if name == "HistoryPage"]
    assert asked == [0, 1_000, 2_000, 2_499, 2_499]


@pytest.mark.parametrize(
    ("said", "status", "kind"),
    [
        ("returned error 401: {}", 401, "refused_login"),
        ("permission denied", 0, "no_permission"),
        ("giving up after 2 attempt(s)\nwhile retrying: HTTP 503: {}", 0, "service_down"),
        ("dial tcp: lookup api.wandb.ai: no such host", 0, "unreachable"),
        ("tls: failed to verify certificate: x509: expired", 0, "certificate"),
        ("net/http: request canceled (Client.Timeout exceeded)", 0, "stalled"),
        ("something new at https://api.wandb.ai/secret", 0, "bad_answer"),
    ],
)
def test_what_the_client_says_is_understood(said, status, kind):
    """By status where there is one, else by its words; an address is never repeated."""
    error = explain(said, status, where="wandb://a/b", who="somebody", seconds=3)
    assert error.kind == kind
    assert "http" not in str(error)


def test_a_key_that_an_answer_repeats_is_not_told(service, open_wandb):
    """As it is, and as it came in the header."""
    header = base64.b64encode(f"api:{KEY}".encode()).decode()
    service.fault = Fault(f"bad key {KEY} of Basic {header}")
    error = failure(open_wandb(patience=PATIENCE))
    assert (error.kind, "bad key … of Basic …" in error.what) == ("bad_answer", True)


def test_every_kind_has_a_sentence_and_a_remedy():
    """Two sentences in plain words each."""
    facts = {"where": "wandb://a/b", "who": "somebody", "name": "x", "reason": "because",
             "seconds": 3, "entity": "a", "project": "b", "nearest": ""}  # fmt: skip
    for kind in set(KINDS) - {"bad_name"}:
        error = wandb_fault(kind, **facts)
        assert error.what.endswith((".", "?"))
        assert error.remedy.endswith(".")
        assert "{" not in str(error)
    assert set(KINDS) > wandb_faults_used()


def wandb_faults_used() -> set[str]:
    """Return the kinds that the client's words lead to."""
    return {kind for _, kind, _ in wandb_faults._SAID} | set(wandb_faults._STATUSES.values())


@pytest.mark.parametrize(
    "text",
    ["wandb://", "wandb://a", "wandb://a/b/c/d", "wandb://a//b", "wandb://a/b?x", "wandb://a/b#c",
     f"wandb://{KEY}@a/b", "wandb://a/" + "x" * 129, "wandb://a/b\x1b", "https://wandb.ai/a"],
)  # fmt: skip
def test_an_address_that_is_none_is_refused_at_once(text):
    """With the rule that is broken; what was typed may hold a key, so it is not repeated."""
    with pytest.raises(WandbError) as caught:
        parse_wandb(text)
    assert caught.value.kind == "bad_name"
    assert KEY not in str(caught.value)


def test_a_client_that_does_not_start_is_given_up(service, open_wandb, monkeypatch):
    """The helper process hangs; nobody waits for ever."""
    from viz3d.sources import wandb

    monkeypatch.setattr(wandb, "START", 0.05)
    hold = __import__("threading").Event()
    monkeypatch.setattr(Client, "_connect", lambda self: hold.wait(30))
    error = failure(open_wandb())
    hold.set()
    assert "does not start" in error.what
