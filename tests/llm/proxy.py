"""A proxy that goes wrong on demand, in front of an OpenAI-compatible server.

The first segment of a path names the fault: the base URL is `http://127.0.0.1:PORT/FAULT/v1`.
`GET /counts` says how many requests each fault has had and `DELETE /counts` forgets them. Run it
with

    python -m tests.llm.proxy --upstream http://127.0.0.1:8000 --port 0

It prints `{"port": ...}` once it listens.
"""

from __future__ import annotations

import argparse
import json
from urllib.parse import urlsplit

from tests.llm.exchange import FaultServer
from tests.llm.faults import FAULTS


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--upstream", required=True)
    parser.add_argument("--port", type=int, default=0)
    args = parser.parse_args()
    server = FaultServer(args.port, urlsplit(args.upstream).netloc, FAULTS)
    print(json.dumps({"port": server.server_port}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
