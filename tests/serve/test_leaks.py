from __future__ import annotations

from tests.benchmarks.connects import leaks, visit
from tests.serve.processes import Served


def test_clients_that_come_and_go_leave_nothing_behind(served: Served) -> None:
    server, client = visit(served, 300)
    assert not leaks(server), server
    assert not leaks(client), client
