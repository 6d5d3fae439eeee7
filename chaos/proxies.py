"""A TCP proxy on the link to the gateway, which can be cut, held and slowed down."""

import asyncio
import threading
from enum import Enum
from urllib.parse import urlsplit

REFUSAL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
    b"Content-Length: 2\r\nConnection: close\r\n\r\n{}"
)


class Mode(Enum):
    """What happens to a request that arrives now."""

    PASS = "pass"
    CUT_BEFORE = "cut_before"  # the connection ends, the request never arrived
    CUT_AFTER = "cut_after"  # the gateway has done it, the reply is lost
    HALF_OPEN = "half_open"  # nothing arrives and nobody says so
    SLOW = "slow"  # the reply takes its time, sometimes longer than anybody waits
    ERRORS = "errors"  # the gateway has done it, the answer is a 503


class Link:
    """Listens on the port that the shop takes for the gateway and passes on to the real one."""

    def __init__(self, url: str, gateway_port: int):
        self.port, self.gateway_port = urlsplit(url).port, gateway_port
        self.mode = Mode.PASS
        self.taken = threading.Lock()  # one fault at a time
        self.delays = (0.1, 0.4, 0.8, 1.5)  # seconds, in turn
        self.struck = 0  # requests that a mode other than PASS has met
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="link", daemon=True)

    def start(self) -> None:
        """Returns once it listens."""
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError(f"port {self.port} cannot be had")

    def stop(self) -> None:
        """Ends every connection."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop)
        self._thread.join(5)

    async def _end(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._loop.stop()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        serving = asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=512)
        self._loop.run_until_complete(serving)
        self._ready.set()
        self._loop.run_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ours = None
        try:
            while request := await reader.read(65_536):
                mode = self.mode
                self.struck += mode is not Mode.PASS
                if mode is Mode.CUT_BEFORE:
                    break
                if mode is Mode.HALF_OPEN:
                    await reader.read()  # until the client gives up
                    break
                if ours is None:
                    ours = await asyncio.open_connection("127.0.0.1", self.gateway_port)
                    answering = asyncio.ensure_future(self._answer(ours[0], writer))
                    answering.add_done_callback(lambda _, w=writer: w.transport.abort())
                ours[1].write(request)
                await ours[1].drain()
        except (OSError, asyncio.CancelledError):
            pass  # one of the two is gone, and so goes the other
        finally:
            writer.transport.abort()
            if ours is not None:
                ours[1].transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while reply := await reader.read(65_536):
                mode = self.mode
                if mode is Mode.CUT_AFTER:
                    return
                if mode is Mode.ERRORS:
                    writer.write(REFUSAL)
                    await writer.drain()
                    return
                if mode is Mode.SLOW:
                    await asyncio.sleep(self.delays[self.struck % len(self.delays)])
                writer.write(reply)
                await writer.drain()
        except (OSError, asyncio.CancelledError):
            pass
