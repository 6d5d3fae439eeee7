"""Who may log in."""

from allauth.account.auth_backends import AuthenticationBackend


class LoginBackend(AuthenticationBackend):
    """E-mail and password. Deleted users are nobody; every request of a session asks again."""

    def user_can_authenticate(self, user) -> bool:
        return user.deleted is None and super().user_can_authenticate(user)
