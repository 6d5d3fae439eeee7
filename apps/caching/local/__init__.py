"""The cache inside the process (L1): bounded, told of every change, never older than a second.

``store`` keeps the entries, ``listener`` is the thread that hears of changes, proves that it would
hear of them and compares stamps, ``process`` puts both together for this process.
"""
