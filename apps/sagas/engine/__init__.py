"""The engine: the only room that writes the state of runs."""
