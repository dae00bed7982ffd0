"""What `bosun serve` takes."""

from __future__ import annotations

import argparse
from pathlib import Path

from agent.arguments import add_config, natural


def add_serve(parser: argparse.ArgumentParser) -> None:
    """Add where is listened, and who may ask."""
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen at; 0.0.0.0 is all of this machine's"
    )
    parser.add_argument("--port", type=_port, default=8000, help="0 takes one that is free")
    key = parser.add_mutually_exclusive_group()
    key.add_argument(
        "--api-key-env", metavar="NAME", help="environment variable with the key clients must show"
    )
    key.add_argument(
        "--api-key-file", type=Path, metavar="FILE", help="file with the key and nothing else"
    )
    add_config(parser)


def _port(text: str) -> int:
    port = natural(text)
    if port > 65535:
        raise argparse.ArgumentTypeError(f"{text} is not a port; they end at 65535")
    return port
