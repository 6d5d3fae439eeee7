"""The main job: a real shop's sales file through the public checkout."""
