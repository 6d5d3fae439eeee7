"""Every failpoint of the product: its name and where a process stands that passes it.

``….before_commit`` is the last thing inside a transaction, ``….after_commit`` the first thing
after it. A test holds this list and the code to each other, another one kills a process at each.
"""

from collections.abc import Mapping
from types import MappingProxyType

_COMMITS = {
    "saga.claim": "claiming a batch of due runs under a fresh lease token",
    "saga.begin": "renewing the leases of a step's runs with the participant's intent",
    "saga.checkpoint": "recording a step's outcomes and the next position",
    "saga.change": "spending the attempt of a step that raised, setting late runs apart, parking",
    "saga.note": "telling of attempts whose holder never came back",
    "saga.repair": "a person's hand on a run, with the logs",
    "saga.look_after": "turning or parking runs that no engine drives, telling who is late",
    "order.place": "writing an order with its payment, run, event and idempotency record",
    "order.cancel": "accepting a cancellation with its run",
    "order.approve": "letting an order that is held for review go on",
    "order.ship": "marking an order shipped, with the run that sells its stock",
    "order.deliver": "marking an order delivered",
    "order.return": "taking, asking for, deciding or importing returns, with their runs",
    "payments.mend": "the reconciler's intents and answers for a payment",
    "payments.discrepancy": "what the reconciler opens, clears and did; a person's resolution",
    "catalog.reserve": "reserving a batch of orders, with their inbox rows",
    "catalog.hold": "making the holds of a cart what its customer wants",
    "catalog.release": "releasing a batch of orders, with their inbox rows",
    "catalog.dispatch": "selling what a batch of orders held, with their inbox rows",
    "catalog.return": "putting what came back of a batch of returns on the shelf",
    "consume.apply": "a batch of events with their inbox rows, in the consumer's database",
    "consume.count": "counting an attempt at an event that is about to be tried alone",
    "letters.redrive": "a person's word that dead letters are to be tried once more",
    "consume.bury": "putting events that cannot be applied among the dead letters",
    "feed.count": "taking a feed's key and counting the stock that it tells of",
    "feed.answer": "recording the answer to a feed",
    "feed.flush": "a batch of edits of prices and attributes, with history and events",
    "catalog.count": "forgetting notes of sales that Redis has counted",
    "catalog.expire": "releasing holds whose time is over",
    "relay.claim": "taking or renewing the lease of a database's outbox",
    "relay.mark": "recording which events of a batch the broker has",
    "notifications.claim": "claiming a batch of mails under a fresh lease, composed or set aside",
    "notifications.begin": "spending an attempt on one mail, just before the server gets it",
    "notifications.change": "what a customer wants, or a mail that staff send once more",
    "notifications.settle": "recording what the mail server said to one mail",
}
_OTHERS = {
    "write_behind.before_clear": "a batch of edits is committed and still pending in Redis",
    "write_behind.after_clear": "a batch of edits is committed and no longer pending",
    "saga.execute.after": "a participant outside the orders database has answered a batch",
    "payments.before_gateway_call": "one payment is about to be asked for; its intent is committed",
    "payments.after_gateway_call": "the gateway's result of one payment is known, not recorded",
    "relay.after_publish": "the broker has a batch of events, the outbox does not say so yet",
    "consume.before_ack": "a batch of events is committed and not acknowledged",
    "gateway.before_send": "a request is about to leave for the gateway",
    "gateway.after_reply": "the gateway's reply has arrived and was not looked at",
}

NAMES: Mapping[str, str] = MappingProxyType(
    {
        f"{name}.{side}_commit": f"{side} the commit {what}"
        for name, what in _COMMITS.items()
        for side in ("before", "after")
    }
    | _OTHERS
)
