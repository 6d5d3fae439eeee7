"""``make chaos``: a whole shop of its own under load while its processes, servers and links die.

``house`` starts it as ``make up`` does and supervises it; ``drill`` is the run inside: ``load``
buys, ``staff`` sends parcels and cancels, ``schedule`` says which fault comes when, ``faults`` and
``proxies`` inject them from outside, ``books`` and the audit judge what is left, ``report`` tells.
``docs/chaos.md`` says how to run it and how to read it.
"""
