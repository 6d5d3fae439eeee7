"""The catalogue through the cache: what is kept, loaded and invalidated.

``products``, ``pages`` and ``tree`` load what ``apps.catalog.caches`` declares; ``writing`` is the
bracket around everything that writes; ``signals`` and ``querysets`` put it around what passes the
services by; ``consuming`` invalidates what events name; ``known`` answers for ids that never were.
"""
