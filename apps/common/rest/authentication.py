"""Who is asking: a session token for apps, Django's session (with CSRF) for browsers."""

from allauth.headless.contrib.rest_framework.authentication import XSessionTokenAuthentication
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, UnsupportedMediaType

from apps.common.rest import sessions


class TokenAuthentication(XSessionTokenAuthentication):
    """allauth's ``X-Session-Token``. A token that is no longer good is a 401, also where
    anonymous callers are welcome, so that an app learns that it must log in again."""

    def authenticate(self, request):
        token = self.get_session_token(request)
        if not token:
            return None
        found = sessions.find(token) if token.isprintable() else None
        if found is not None:
            session, user = found
            known = (user, session) if user is not None else super().authenticate(request)
            if known is not None:
                return known
        raise AuthenticationFailed("The session token is not valid (any more).")

    def authenticate_header(self, request) -> str:
        return 'X-Session-Token realm="api"'


class BrowserAuthentication(SessionAuthentication):
    """Django's session cookie, with CSRF protection."""

    def enforce_csrf(self, request) -> None:
        # The CSRF check would read a form's body, after which it looks like an empty one.
        form = ("application/x-www-form-urlencoded", "multipart/form-data")
        if request.content_type.partition(";")[0].strip().lower() in form:
            raise UnsupportedMediaType(request.content_type)
        super().enforce_csrf(request)
