"""A link to a server that a test can cut, mend and make swallow the answers."""

import socket
import threading
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit


class Cable:
    """Listens on 127.0.0.1 and passes everything on to ``connect()``, a new connection each."""

    def __init__(self, connect: Callable[[], socket.socket]):
        self._connect = connect
        self._listener: socket.socket | None = None
        self._ends: list[socket.socket] = []
        self._lock = threading.Lock()
        self._swallow = False
        self.port = 0
        self.mend()

    def mend(self) -> None:
        """Everything passes again, over new connections."""
        self._swallow = False
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self.port))
            self.port = self._listener.getsockname()[1]
            threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        """Ends all connections and refuses new ones."""
        listener, self._listener = self._listener, None
        if listener is not None:
            _end(listener)
        with self._lock:
            ends, self._ends = self._ends, []
        for end in ends:
            _end(end)

    def swallow_answers(self) -> None:
        """Requests still arrive; the connection ends when the first answer comes back."""
        self._swallow = True

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
                far = self._connect()
            except OSError:
                return
            with self._lock:
                self._ends += (near, far)
            for source, sink, answers in ((near, far, False), (far, near, True)):
                threading.Thread(
                    target=self._pump, args=(source, sink, answers), daemon=True
                ).start()

    def _pump(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        try:
            while data := source.recv(65_536):
                if answers and self._swallow:
                    break
                sink.sendall(data)
        except OSError:
            pass  # the other pump has ended both
        for end in (source, sink):
            _end(end)


def connector(url: str) -> Callable[[], socket.socket]:
    """How to reach the server of ``url``."""
    parts = urlsplit(url)

    def connect() -> socket.socket:
        if parts.scheme == "unix":
            far = socket.socket(socket.AF_UNIX)
            far.connect(parts.path)
            return far
        return socket.create_connection((parts.hostname, parts.port))

    return connect


def through(cable: Cable, url: str) -> str:
    """``url`` by way of ``cable``."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        database = parse_qs(parts.query).get("db", ["0"])[0]
        return f"redis://127.0.0.1:{cable.port}/{database}"
    login = parts.netloc.rpartition("@")[0]
    return parts._replace(netloc=f"{login}@127.0.0.1:{cable.port}".lstrip("@")).geturl()


def _end(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it has ended already
    end.close()
