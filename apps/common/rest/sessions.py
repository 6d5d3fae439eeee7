"""Who holds a session token: one query where Django's own way takes three.

Nothing is remembered from one request to the next: a session that has ended, a password that was
changed or somebody who was shut out is seen by the very next request.
"""

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user_model,
    load_backend,
)
from django.contrib.sessions.backends.base import SessionBase
from django.db import models, router
from django.utils.crypto import constant_time_compare

from apps.common.databases import fetch_one


def find(token: str) -> tuple[SessionBase, Any] | None:
    """The living session of ``token`` and who logged in by it; None if there is no such session.

    The user is None where that cannot be told at a glance: Django's own way must decide then.
    """
    alias, sql, names = _query()
    row = fetch_one(alias, sql, [token], prepared=True)
    if row is None:
        return None
    session = import_module(settings.SESSION_ENGINE).SessionStore(token)
    session._session_cache = session.decode(row[0])
    known = row[1] is not None
    user = get_user_model().from_db(alias, names, row[1:]) if known else None
    return session, user if known and _is_good(session, user) else None


def _is_good(session: SessionBase, user: Any) -> bool:
    """The checks of ``django.contrib.auth.get_user``; but a session signed with a secret of before
    keeps its key, which is the token that an app holds."""
    backend, signed = session.get(BACKEND_SESSION_KEY), session.get(HASH_SESSION_KEY, "")
    return (
        session.get(SESSION_KEY) == str(user.pk)
        and backend in settings.AUTHENTICATION_BACKENDS
        and load_backend(backend).user_can_authenticate(user)
        and any(constant_time_compare(signed, one) for one in _hashes(user))
    )


def _hashes(user: Any) -> Iterator[str]:
    yield user.get_session_auth_hash()
    yield from user.get_session_auth_fallback_hash()


@cache
def _query() -> tuple[str, str, list[str]]:
    """Database, statement, and the user's columns in it: the key first, none that is JSON."""
    user, login = get_user_model()._meta, UserSession._meta
    session = import_module(settings.SESSION_ENGINE).SessionStore.get_model_class()._meta
    fields = [one for one in user.concrete_fields if not isinstance(one, models.JSONField)]
    fields.sort(key=lambda one: not one.primary_key)
    columns = ", ".join(f'"user"."{one.column}"' for one in fields)
    sql = f"""
        SELECT session.session_data, {columns} FROM {session.db_table} AS session
        LEFT JOIN {login.db_table} AS login USING (session_key)
        LEFT JOIN {user.db_table} AS "user" ON "user".{user.pk.column} = login.user_id
        WHERE session.session_key = %s AND session.expire_date > clock_timestamp()
    """
    return router.db_for_read(get_user_model()), sql, [one.attname for one in fields]
