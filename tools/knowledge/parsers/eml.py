"""Mail files: the headers a reader needs, the body as text, the attachments by name."""

from __future__ import annotations

from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

from tools.errors import DocumentError
from tools.knowledge.parsers.encoding import decode
from tools.knowledge.parsers.html import parse_markup
from tools.knowledge.parsers.markup import one_line
from tools.knowledge.parsers.raw import ParseLimits, RawDocument, RawPage

_SHOWN = ("From", "To", "Cc", "Date", "Subject")


def parse(data: bytes, _limits: ParseLimits) -> RawDocument:
    """Read a mail; the title is its subject. Attachments are listed, not read.

    Raises:
        DocumentError: `bad_encoding` or `corrupt_document`.
    """
    message = BytesParser(EmailMessage, policy=policy.default).parsebytes(data)
    headers = {name: one_line(str(message[name])) for name in _SHOWN if message[name]}
    attachments = [_describe(part) for part in message.iter_attachments()]
    body = _body(message)
    if not headers and not body.strip():
        raise DocumentError(
            "This is not a readable mail. Export it from the mail program as .eml again.", code="corrupt_document"
        )
    sections = ["\n".join(f"{name}: {value}" for name, value in headers.items()), body]
    if attachments:
        sections.append("Attachments (not read):\n" + "\n".join(f"- {name}" for name in attachments))
    text = "\n\n".join(section for section in sections if section.strip())
    return RawDocument([RawPage(text)], title=headers.get("Subject"), metadata={"attachments": attachments})


def _body(message: EmailMessage) -> str:
    part = message.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    text = decode(payload, part.get_content_charset())
    return parse_markup(text).pages[0].text if part.get_content_subtype() == "html" else text


def _describe(part: EmailMessage) -> str:
    return f"{one_line(part.get_filename() or 'unnamed')} ({part.get_content_type()})"
