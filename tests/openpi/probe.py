"""Run by the Python of openpi's environment: drives a server with openpi's own client.

Takes host, port, an npz of observations and a file to write; Bosun is not imported. Each key of an
observation is an array of one row per tick, `prompt` one of texts.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
from openpi_client.action_chunk_broker import ActionChunkBroker
from openpi_client.websocket_client_policy import WebsocketClientPolicy

HORIZON = 3
"""Rows of a chunk that the broker carries out before it asks again."""


def main() -> None:
    """Ask about every tick, then one action at a time, then wrongly, and write what came."""
    host, port, told, out = sys.argv[1:]
    with np.load(told) as arrays:
        stored = dict(arrays)
    ticks: list[dict[str, Any]] = [
        {**{key: rows[tick] for key, rows in stored.items()}, "prompt": str(stored["prompt"][tick])}
        for tick in range(len(stored["prompt"]))
    ]
    policy = WebsocketClientPolicy(host, int(port))
    answers = [policy.infer(tick) for tick in ticks]
    broker = ActionChunkBroker(WebsocketClientPolicy(host, int(port)), HORIZON)
    broken = [broker.infer(tick)["actions"] for tick in ticks[: 2 * HORIZON]]
    try:
        policy.infer({**ticks[0], "observation/front_image": np.zeros((2, 2, 3), np.uint8)})
        failure = ""
    except RuntimeError as error:
        failure = str(error)
    rest = {
        "numpy": np.__version__,
        "metadata": policy.get_server_metadata(),
        "failure": failure,
        "server_timing": [answer["server_timing"] for answer in answers],
        "progress": [answer["progress"] for answer in answers],
        "success": [answer["success"] for answer in answers],
    }
    np.savez(
        out,
        rest=json.dumps(rest),
        actions=np.stack([answer["actions"] for answer in answers]),
        spread=np.stack([answer["spread"] for answer in answers]),
        broken=np.stack(broken),
    )


if __name__ == "__main__":
    main()
