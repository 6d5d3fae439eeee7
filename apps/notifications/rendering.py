"""Makes the message of a composed mail from its templates."""

import re
from email.utils import parseaddr
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from apps.notifications.composing import Composed
from apps.notifications.enums import Kind


def text_of(kind: Kind, content: Composed) -> str:
    """The mail as plain text; paragraphs are an empty line apart."""
    text = render_to_string(f"notifications/{kind}.txt", content.context)
    lines = "\n".join(line.rstrip() for line in text.strip().splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines) + "\n"


def html_of(kind: Kind, content: Composed) -> str:
    context = content.context | {"subject": content.subject}
    return render_to_string(f"notifications/{kind}.html", context)


def message_id(event_id: UUID, kind: Kind, copy: int) -> str:
    """The same for every repeat of the same mail, so that a receiver who has it knows it again."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    return f"<{event_id}.{kind}.{copy}@{domain}>"


def message(*, event_id: UUID, kind: Kind, copy: int, content: Composed) -> EmailMultiAlternatives:
    """The message to send."""
    one = EmailMultiAlternatives(
        subject=content.subject,
        body=text_of(kind, content),
        to=[content.recipient],
        headers={
            "Message-ID": message_id(event_id, kind, copy),
            "Auto-Submitted": "auto-generated",  # RFC 3834: no out-of-office answers
        },
    )
    one.attach_alternative(html_of(kind, content), "text/html")
    return one
