"""How events reach their consumer groups: ``deliver`` is the one way in."""
