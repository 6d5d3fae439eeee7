"""The shop under test: the servers and processes of ``make up``, supervised as there."""

import shutil
import sys
from argparse import Namespace
from pathlib import Path

from chaos import rabbitmq
from project import env
from project.local import parts
from project.local.ownership import Ownership
from project.local.places import ROOT
from project.local.servers import Servers
from project.local.session import supervised
from project.local.supervisor import say
from project.local.up import prepare, start_parts


def records(seed: int) -> Path:
    """Where a run leaves its history, its report and, if it failed, the logs."""
    return ROOT / "var" / "chaos" / str(seed)


def run(arguments: Namespace) -> int:
    """Starts the shop, carries the run out and stops everything; 0 where nothing went wrong."""
    kept = records(arguments.seed)
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    ownership = Ownership(env.PLACES)
    ownership.take("`make chaos`")
    code, node = 1, None
    try:
        with supervised() as supervisor:
            say(f"seed {arguments.seed}: starting a shop below {env.PLACES.var} …")
            Servers(env.PLACES).start(supervisor)
            if arguments.events == "rabbitmq":
                node = rabbitmq.start(supervisor)
            prepare(supervisor)
            # The gateway is started although GATEWAY_URL is set: that is the link to it.
            supervisor.start(parts.gateway())
            start_parts(supervisor, with_web=True)
            code = supervisor.run_task(_inside(arguments, kept), {"HOLDFAST_PROCESS": "chaos"})
            say("stopping the shop …")
    finally:
        if node is not None:
            node.stop()
        if code or arguments.keep:
            shutil.copytree(env.PLACES.logs, kept / "log", dirs_exist_ok=True)
        ownership.release()
    return code


def _inside(arguments: Namespace, kept: Path) -> list[str]:
    words = ["--minutes", str(arguments.minutes), "--seed", str(arguments.seed)]
    words += ["--rate", str(arguments.rate), "--only", arguments.only]
    return [sys.executable, "-m", "chaos", *words, "--inside", str(kept)]
