from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from isthmus.api.door import Door
from isthmus.api.service import Service
from tests.api.facts import established
from tests.api.fakes import FakeDaemon


def test_clients_that_come_before_the_api_is_loaded_are_served_and_what_happened_before_is_counted(
    tmp_path: Path,
) -> None:
    daemon, door = FakeDaemon(), Door(tmp_path / "isthmus.sock")
    service = Service(daemon, daemon.plane.traffic, lambda fault: None, door)
    door.bind()
    daemon.happen(established())

    async def asked_at_once() -> str:
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / "isthmus.sock"))
        writer.write(b"GET /metrics HTTP/1.0\r\n\r\n")
        await service.load()
        serving = asyncio.create_task(service.serve())
        answer = await reader.read()
        writer.close()
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving
        return answer.decode()

    answer = asyncio.run(asked_at_once())
    assert 'isthmus_ike_negotiations_total{gateway="branch",reason="",result="established",role="initiator"} 1.0' in (
        answer
    )
