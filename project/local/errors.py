"""What a person has to put right."""


class Trouble(Exception):
    """Something a person has to change; the message is the one line they see."""


class Interrupted(Exception):
    """Ctrl-C or SIGTERM arrived while something was waited for."""
