"""The command ``demo``: the app on the bundled sample runs."""

from __future__ import annotations

import argparse
import os
import runpy
import sys
from importlib.util import find_spec
from pathlib import Path

from viz3d.errors import ExportError

ROOT = Path(__file__).resolve().parents[1]


def add_demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("demo", help="open the app on the bundled sample runs")
    parser.add_argument("--port", type=_port, help="by default 8501, or the next one that is free")
    parser.set_defaults(command=_demo)


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 2**16:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; choose one from 1 to 65535")
    return int(text)


def _demo(args: argparse.Namespace) -> int:
    if not (ROOT / "app.py").is_file():
        raise ExportError(
            "The app is not part of the installed package. Get the project's folder and run "
            "`python -m viz3d demo` in it."
        )
    if find_spec("streamlit") is None:
        raise ExportError(
            "The package streamlit is not installed. Run `pip install -r requirements.txt`."
        )
    os.environ["VIZ3D_SOURCE"] = "sample"
    os.chdir(ROOT)  # Streamlit's settings lie in the folder in which it is started
    port = ["--server.port", str(args.port)] if args.port else []
    sys.argv = ["streamlit", "run", "app.py", *port]
    # In this process, so that Ctrl-C and whatever else ends it finds the server itself.
    runpy.run_module("streamlit", run_name="__main__", alter_sys=True)
    return 0
