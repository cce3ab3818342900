"""Text that wants to run, to load or to be a link, and runs that carry it everywhere."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

HOST = "evil.example"
RUN = "window.__x=1"

PAYLOADS = (
    # Tags that run something.
    f"<script>{RUN}</script>",
    f"</script><script>{RUN}</script>",
    f"<img src=x onerror={RUN}>",
    f"<img src=x onerror='{RUN}'",
    f"<svg onload={RUN}>",
    f"<svg><script>{RUN}</script></svg>",
    f"<svg/onload={RUN}//",
    f"<body onload={RUN}>",
    f"<details open ontoggle={RUN}>",
    f"<input autofocus onfocus={RUN}>",
    f"<video><source onerror={RUN}>",
    "<iframe srcdoc='<script>parent.__x=1</script>'>",
    "<iframe src=javascript:parent.__x=1>",
    f"<math><mtext><img src=x onerror={RUN}>",
    f"<style>@keyframes x{{}}</style><b style='animation:x' onanimationstart={RUN}>",
    f'"><img src=x onerror={RUN}>',
    f"'><img src=x onerror={RUN}>",
    f"`;{RUN};`",
    f"${{{RUN}}}",
    f"{{{{{RUN}}}}}",
    f"-->{RUN}<!--",
    f"]]><script>{RUN}</script>",
    f"<ScRiPt>{RUN}</sCrIpT>",
    f"<scr\u200bipt>{RUN}</script>",
    f"\u202e<script>{RUN}</script>",
    # Tags that load or lead elsewhere.
    f"<a href=https://{HOST}>x</a>",
    f"<a href='javascript:{RUN}'>x</a>",
    "<a href='data:text/html,x'>x</a>",
    f"<img src=https://{HOST}/a.png>",
    f"<image href=https://{HOST}/b.png>",
    f"<link rel=stylesheet href=//{HOST}/c>",
    f"<meta http-equiv=refresh content='0;//{HOST}'>",
    f"<base href=https://{HOST}>",
    f"<form action=https://{HOST}><button>",
    f"<object data=https://{HOST}>",
    f"<embed src=https://{HOST}>",
    f"<b style='background:url(//{HOST}/d)'>x</b>",
    f"<sub><a href=https://{HOST}>x</a></sub>",
    # Markdown, and what Streamlit adds to it.
    f"![x](https://{HOST}/e.png)",
    f"[x](https://{HOST})",
    f"[x](javascript:{RUN})",
    f"[x](data:text/html,<script>{RUN}</script>)",
    f"[x][1]\n\n[1]: https://{HOST}",
    f"<https://{HOST}>",
    f"https://{HOST}/f",
    f"www.{HOST}",
    f"someone@{HOST}",
    f"x](https://{HOST}) [y](https://{HOST}",
    f"`code` ![`](https://{HOST}/g.png)",
    f"| a | b |\n|---|---|\n| ![x](//{HOST}/h.png) | |",
    f"# heading ![x](//{HOST}/i.png)",
    f"- [ ] ![x](//{HOST}/j.png)",
    f":material/home: :red[![x](https://{HOST}/k.png)]",
    f"$\\href{{https://{HOST}}}{{x}}$",
    f"$$\\includegraphics{{https://{HOST}/l.png}}$$",
    f"\\url{{https://{HOST}}}",
    # What Plotly knows in text and in templates.
    "%{x} %{customdata} %{meta.viz3d}",
    f'<b>x</b><i>y</i><br><a href="https://{HOST}">z</a>',
    f"<span style='font-size:99px'>x</span><a href='https://{HOST}' target=_top>z</a>",
    f"&lt;script&gt;{RUN}&lt;/script&gt;&#60;img src=x onerror={RUN}&#62;",
)


def write_runs(folder: Path) -> list[str]:
    """Write runs whose names, metrics, configs, layers and reports are payloads.

    Returns
    -------
    list of str
        The names of the runs, as far as a file system takes them.
    """
    names = []
    each = 10
    for at in range(0, len(PAYLOADS), each):
        mine = PAYLOADS[at : at + each]
        name = as_name(f"{at // each}{mine[0]}")
        _write_run(folder / name, mine, at)
        names.append(name)
    return names


def as_name(text: str) -> str:
    """Return a text as a file system takes it."""
    return text.replace("/", "\u2215").replace("\n", " ")


def _write_run(run: Path, payloads: tuple[str, ...], seed: int) -> None:
    (run / "report").mkdir(parents=True)
    rate = 10 ** (-2 - seed / 20)
    rows = [
        {
            "step": step, "loss": 3 / (1 + step) + rate, "learning_rate": rate,
            "reward": step / 40, "grad_norm": 1 / (1 + step),
            **{text: (step * (k + 3) + seed) % 11 for k, text in enumerate(PAYLOADS)},
        }
        for step in range(40)
    ]  # fmt: skip
    layers = [
        {"step": step, "layer": k, "name": text, "grad_norm": 10.0 ** -(k % 4)}
        for step in range(0, 40, 10)
        for k, text in enumerate(payloads)
    ]
    config = {"learning_rate": rate, "seed": seed, **{text: text for text in payloads}}
    _lines(run / "metrics.jsonl", [*rows, *payloads])
    _lines(run / "layers.jsonl", layers)
    described = {"schema": 1, "name": payloads[1], "config": config, "tags": list(payloads)}
    (run / "run.json").write_text(json.dumps(described), "utf-8")
    (run / "landscape").mkdir()
    axis = np.linspace(-1, 1, 3)
    titles = {
        "title_alpha": payloads[0],
        "title_beta": payloads[1],
        **dict.fromkeys(payloads, payloads[2]),
    }
    for text in payloads:
        with (run / "landscape" / f"{as_name(text)}.npz").open("wb") as file:
            np.savez(file, alpha=axis, beta=axis, loss=np.ones((3, 3)), meta=json.dumps(titles))
    told = "\n".join(f"- {text}: {text}\n{text}" for text in payloads)
    table = "\n".join(f"| {text} | 0.5 | 0.6 |" for text in payloads)
    (run / "report" / "report.md").write_text(
        f"# nanochat training report\n\n{told}\n\n## Chat evaluation sft\n\n"
        f"- ARC-Easy: 0.5\n{told}\n\n"
        f"## Summary\n\n| Metric | BASE | SFT |\n|---|---|---|\n{table}\n",
        "utf-8",
    )


def _lines(path: Path, rows: list[object]) -> None:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
