"""How a peer's process is told what to do and says what came of it."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

Order = tuple[str, int]  # its id and its product's key


def serve(prepare: Callable[[dict], Callable[[], dict]], end: Callable[[], None]) -> None:
    """Reads a job (one line of JSON), prepares, says ``ready``, waits for ``go``, runs, answers."""
    run = prepare(json.loads(sys.stdin.readline()))
    print("ready", flush=True)
    sys.stdin.readline()
    began, cpu = time.time(), time.process_time()
    answer = run()
    answer |= {"began": began, "ended": time.time(), "cpu": time.process_time() - cpu}
    print(json.dumps(answer), flush=True)
    end()


def paced(
    orders: Sequence[Order], per_second: float, run: Callable[[str, int], None]
) -> list[float]:
    """Begins one every 1 / ``per_second`` s; the milliseconds from asking to done of each."""
    begun, latencies = time.perf_counter(), []

    def one(order: str, product: int) -> None:
        asked = time.perf_counter()
        run(order, product)
        latencies.append((time.perf_counter() - asked) * 1000)

    with ThreadPoolExecutor(16) as pool:
        waiting = []
        for number, arguments in enumerate(orders):
            time.sleep(max(0.0, begun + number / per_second - time.perf_counter()))
            waiting.append(pool.submit(one, *arguments))
        for done in waiting:
            done.result()
    return latencies
