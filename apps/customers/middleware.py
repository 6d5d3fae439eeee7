"""Tells the services which member of staff a request works for."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from apps.common.actor import Actor, acting


class StaffAtWork:
    """Makes the request's member of staff the current actor; customers are none."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        def find() -> Actor | None:
            user = request.user  # by session, or by the view's own authentication
            if not (user.is_authenticated and user.is_staff):
                return None
            return Actor(str(user.public_id), f"{user.name} <{user.email}>")

        with acting(find):
            return self.get_response(request)
