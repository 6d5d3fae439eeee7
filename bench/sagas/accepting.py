"""Orders placed through ``apps.orders.facade``, by processes that do nothing else."""

from collections.abc import Callable
from typing import Any

from bench.jobs import run_jobs
from bench.sagas.peers.job import serve

PROCESSES = 2


def orders(job: dict) -> Callable[[int], Any]:
    """Places the n-th order of a job; returns its receipt."""
    from uuid import UUID

    from apps.customers.contracts import Address
    from apps.orders import facade
    from apps.orders.contracts import OrderLine, PlaceOrder

    address = Address(
        name="Bench", line1="1 High Street", city="York", country="GB", postal_code="YO1 7HH"
    )
    products = [UUID(one) for one in job["products"]]
    customers = [UUID(one) for one in job["customers"]]
    on_account = job["payment_method"] == "account"

    def place(number: int) -> Any:
        customer = customers[number % len(customers)]
        return facade.place_order(
            PlaceOrder(
                principal=str(customer),
                key=f"{job['prefix']}-{number}",
                customer_id=customer,
                lines=(OrderLine(products[number % len(products)], 1),),
                card_token="" if on_account else "tok_approve",
                address=address,
                payment_method=job["payment_method"],
            )
        )

    return place


def prepare(job: dict) -> Callable[[], dict]:
    """Places its share of the orders when told so."""
    import django

    django.setup()
    from django.db import connections

    for connection in connections.all():
        connection.ensure_connection()
    place = orders(job)

    def run() -> dict:
        for number in range(job["first"], job["count"], job["step"]):
            place(number)
        return {"done": len(range(job["first"], job["count"], job["step"]))}

    return run


def job_of(shop: Any, *, prefix: str, products: int, payment_method: str) -> dict:
    """What all processes of one acceptance share."""
    return {
        "prefix": prefix,
        "products": [str(one) for one in shop.products[:products]],
        "customers": [str(one) for one in shop.customers],
        "payment_method": payment_method,
    }


def accept(
    shop: Any, count: int, *, prefix: str, products: int, payment_method: str = "account"
) -> tuple[float, float]:
    """Accepts ``count`` orders; the seconds it took, and those of processor."""
    shared = job_of(shop, prefix=prefix, products=products, payment_method=payment_method)
    share = {**shared, "count": count, "step": PROCESSES}
    jobs = [{**share, "first": number} for number in range(PROCESSES)]
    answers = run_jobs("bench.sagas.accepting", jobs, shop.environment)
    seconds = max(one["ended"] for one in answers) - min(one["began"] for one in answers)
    return seconds, sum(one["cpu"] for one in answers)


if __name__ == "__main__":
    serve(prepare, lambda: None)
