"""A sandbox acquirer: its own process, its own record, and real ways to go wrong.

``python -m apps.payments.sandbox --port 8001 --data DIR``. Standard library only: it shares no
code with the shop, as no acquirer does. ``cards`` lists the test card tokens.

========================================  ======================================================
``POST /v1/authorizations``               ``{"reference", "amount": {"amount", "currency"},
                                          "card_token"}``: hold the amount; 201
``POST /v1/payments/{reference}/captures`` take what is held; ``{}`` or ``{"amount": {…}}``; 201
``POST /v1/payments/{reference}/voids``   let go of what is held; ``{}``; 201
``POST /v1/payments/{reference}/refunds`` give back what was taken; ``{}`` or ``{"amount"}``; 201
``GET /v1/payments/{reference}``          the payment, or 404
``GET /v1/payments?after=0&limit=1000``   ``{"payments": […], "next": number or null}``, oldest
                                          first; pass ``next`` as ``after``
``GET /livez``                            200
========================================  ======================================================

Every POST carries an ``Idempotency-Key``: the same key with the same body gets the first answer
again, with another body 422. A declined card is 402, an operation the payment's state does not
allow 409; both, like every error, carry ``{"error": {"code", "detail"}}``. An answer leaves only
after everything it tells of is on disk.
"""
