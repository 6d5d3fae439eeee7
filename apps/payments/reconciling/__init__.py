"""The money reconciler: the gateway's own records against our ledger, mended where that is safe.

``walking`` reads both page by page, ``verdicts`` judges a payment, ``mending`` acts under its
lock, ``discrepancies`` keeps what a person must know.
"""
