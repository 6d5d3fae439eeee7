"""Clients that order from the peer: a request to add to the basket, one to check out."""

import json

from bench.sagas.clients import ADDRESS, Connection, prepare
from bench.sagas.peers.job import serve

TOKEN = "a" * 32  # a browser sends the same twice: as a cookie and as a header
FIRST_NAME, LAST_NAME = "Bench", "Client"


class Client:
    """A customer of the peer."""

    def __init__(self, job: dict, number: int):
        cookies = f"sessionid={job['tokens'][number]}; csrftoken={TOKEN}"
        head = f"Cookie: {cookies}\r\nX-CSRFToken: {TOKEN}\r\n"
        self.connection = Connection(job["host"], job["port"], head)
        self.site = f"http://{job['host']}:{job['port']}/api"
        self.address = {
            "country": f"{self.site}/countries/{ADDRESS['country']}/",
            "first_name": FIRST_NAME,
            "last_name": LAST_NAME,
            "line1": ADDRESS["line1"],
            "line4": ADDRESS["city"],
            "postcode": ADDRESS["postal_code"],
        }

    def order(self, number: int, product: int) -> int:
        """Places an order of one piece; the status of the last answer."""
        body = json.dumps({"url": f"{self.site}/products/{product}/", "quantity": 1})
        status, answer = self.connection.post("/api/basket/add-product/", body)
        if status != 200:
            return status
        body = json.dumps({"basket": json.loads(answer)["url"], "shipping_address": self.address})
        return self.connection.post("/api/checkout/", body)[0]


if __name__ == "__main__":
    serve(lambda job: prepare(job, Client), lambda: None)
