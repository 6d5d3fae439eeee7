"""How staff enter the back office: password, then the code of their second factor.

Who has none is led to set it up where ``STAFF_MFA_REQUIRED``; until then no other page opens.
"""

import time
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import qrcode
from allauth.mfa.adapter import get_adapter
from allauth.mfa.totp.internal.auth import clear_totp_secret, get_totp_secret
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth import REDIRECT_FIELD_NAME, login, logout
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from qrcode.image.svg import SvgPathImage

from apps.common.errors import HoldfastError
from apps.customers import second_factor
from apps.customers.forms import CodeForm, SecondFactorForm
from apps.customers.models import User

PENDING = "staff_login_pending"
PENDING_SECONDS = 600
FRESH = timedelta(minutes=5)
BACKEND = "apps.customers.backends.LoginBackend"


class PasswordStep(LoginView):
    """The login page. A right password is half the way for those who have a second factor."""

    def form_valid(self, form) -> HttpResponse:
        user = form.get_user()
        if not user.has_second_factor:
            answer = super().form_valid(form)
            UserSession.objects.create_from_request(self.request)
            return answer
        self.request.session[PENDING] = {
            "user": user.pk,
            "hash": user.get_session_auth_hash(),
            "at": time.time(),
        }
        return _redirect("admin:login_code", self.request)


class StaffLogin:
    """The pages of ``site`` that open before the back office does."""

    def __init__(self, site: AdminSite):
        self.site = site

    def urls(self) -> list[URLPattern]:
        return [
            path("login/code/", never_cache(self.code), name="login_code"),
            path("second-factor/", never_cache(self.set_up), name="second_factor"),
        ]

    def password(self, request: HttpRequest, context: dict[str, Any] | None) -> HttpResponse:
        """The login page, or where someone who is logged in already belongs."""
        user = request.user
        if request.method == "GET" and user.is_active and user.is_staff:
            if user.owes_second_factor:
                return _redirect("admin:second_factor", request)
            return HttpResponseRedirect(reverse("admin:index"))
        request.current_app = self.site.name
        page = PasswordStep.as_view(
            template_name="admin/login.html",
            authentication_form=self.site.login_form,
            next_page="admin:index",
            extra_context=self._context(request, "Log in", context)
            | {REDIRECT_FIELD_NAME: _next(request)},
        )
        return page(request)

    def code(self, request: HttpRequest) -> HttpResponse:
        """The second step: a code of the app, or a recovery code."""
        user = _pending_user(request)
        if user is None:
            return _redirect("admin:login", request)
        form = CodeForm(request.POST or None, user=user)
        if request.method == "POST" and form.is_valid():
            del request.session[PENDING]
            login(request, user, backend=BACKEND)
            form.save()
            UserSession.objects.create_from_request(request)
            return HttpResponseRedirect(_next(request))
        return self._page(request, "admin/login_code.html", "Second factor", form=form)

    def set_up(self, request: HttpRequest) -> HttpResponse:
        """One's own second factor: set it up, renew the recovery codes, log out."""
        user = request.user
        if not (user.is_active and user.is_staff):
            return _redirect("admin:login", request)
        if request.method == "POST" and "log_out" in request.POST:
            logout(request)
            return HttpResponseRedirect(reverse("admin:login"))
        if user.has_second_factor:
            return self._manage(request)
        ask = user.last_login is None or timezone.now() - user.last_login > FRESH
        secret = get_totp_secret()
        form = SecondFactorForm(request.POST or None, user=user, secret=secret, ask_password=ask)
        if request.method == "POST" and form.is_valid():
            try:
                codes = second_factor.second_factor_activate(
                    user_id=user.pk, secret=secret, keep_session=request.session.session_key
                )
            except HoldfastError as error:
                form.add_error(None, error.detail)
            else:
                clear_totp_secret(request)
                return self._codes(request, codes)
        url = get_adapter().build_totp_url(user, secret)
        spaced = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
        return self._page(
            request,
            "admin/second_factor_set_up.html",
            "Set up your second factor",
            form=form,
            secret=spaced,
            picture=_picture(url),
            required=settings.STAFF_MFA_REQUIRED,
        )

    def _manage(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        form = CodeForm(request.POST or None, user=user)
        if request.method == "POST" and form.is_valid():
            if "remove" in request.POST and not settings.STAFF_MFA_REQUIRED:
                second_factor.second_factor_remove(user_id=user.pk)
                logout(request)
                return HttpResponseRedirect(reverse("admin:login"))
            return self._codes(request, second_factor.recovery_codes_renew(user_id=user.pk))
        return self._page(
            request,
            "admin/second_factor.html",
            "Your second factor",
            form=form,
            left=second_factor.recovery_codes_left(user_id=user.pk),
            required=settings.STAFF_MFA_REQUIRED,
        )

    def _codes(self, request: HttpRequest, codes: list[str]) -> HttpResponse:
        return self._page(
            request, "admin/recovery_codes.html", "Keep your recovery codes", codes=codes
        )

    def _page(self, request: HttpRequest, template: str, title: str, **extra: Any) -> HttpResponse:
        request.current_app = self.site.name
        context = self._context(request, title, extra) | {"next": _next(request)}
        return TemplateResponse(request, template, context)

    def _context(self, request: HttpRequest, title: str, extra: dict | None) -> dict[str, Any]:
        return {
            **self.site.each_context(request),
            "title": title,
            "app_path": request.get_full_path(),
            **(extra or {}),
        }


def _pending_user(request: HttpRequest) -> User | None:
    """Who has given the password a short while ago, unless anything has changed since."""
    pending = request.session.get(PENDING)
    if pending is None or time.time() - pending["at"] > PENDING_SECONDS:
        return None
    user = User.objects.filter(pk=pending["user"], is_active=True, is_staff=True).first()
    if user is None or not constant_time_compare(user.get_session_auth_hash(), pending["hash"]):
        return None
    return user


def _next(request: HttpRequest) -> str:
    """Where to go then: an address of ours, or the first page."""
    target = request.POST.get(REDIRECT_FIELD_NAME) or request.GET.get(REDIRECT_FIELD_NAME) or ""
    safe = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if safe else reverse("admin:index")


def _redirect(name: str, request: HttpRequest) -> HttpResponseRedirect:
    query = urlencode({REDIRECT_FIELD_NAME: _next(request)})
    return HttpResponseRedirect(f"{reverse(name)}?{query}")


def _picture(url: str) -> str:
    """The QR code as SVG."""
    image = qrcode.make(url, image_factory=SvgPathImage, box_size=15, border=0)
    return image.to_string(encoding="unicode")
