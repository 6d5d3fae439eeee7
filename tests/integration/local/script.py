"""Run by the tests of the supervisor in a process of its own: services from the command line.

    python script.py DIRECTORY NAME=COMMAND…

Prints each line the supervisor says; ends on SIGTERM.
"""

import sys
from pathlib import Path

from project.local import supervisor as module
from project.local.ownership import MARK
from project.local.supervisor import Service, Supervisor

module.LOG_LIMIT, module.LOOK_AT_LOGS = 10_000, 0.1
directory = Path(sys.argv[1])
supervisor = Supervisor(
    environment={"PATH": "/usr/bin:/bin", "HERE": str(directory)},
    marks={MARK: str(directory)},
    logs=directory / "log",
    cwd=directory,
)
for argument in sys.argv[2:]:
    name, command = argument.split("=", 1)
    supervisor.start(Service(name, ["/bin/sh", "-c", command], stop=((15, 2),)))
supervisor.run_forever()
supervisor.stop()
