"""Carts (docs/decisions/0031).

A cart lives in the durable Redis until nobody has changed it for ``CART_SECONDS``; nothing else
knows its lines. ``store`` reads and writes it, ``services`` is what may be done with it,
``ordering`` makes an order of it, ``listener`` hears of holds that end. What it holds of the stock
stands in the catalogue's database under the cart's id, which its order takes for its own.
"""
