"""Real files for the parser tests, built in memory."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from io import BytesIO
from xml.sax.saxutils import escape

import pikepdf
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    PageBreak,
    PageTemplate,
    Paragraph,
    SimpleDocTemplate,
    Table,
)

STYLES = getSampleStyleSheet()
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def paragraph(text: str, style: str = "BodyText") -> Paragraph:
    return Paragraph(text, STYLES[style])


def flowing_pdf(*story: Flowable, title: str | None = None) -> bytes:
    out = BytesIO()
    SimpleDocTemplate(out, pagesize=A4, title=title).build(list(story))
    return out.getvalue()


def two_column_pdf(paragraphs: list[str]) -> bytes:
    out = BytesIO()
    document = BaseDocTemplate(out, pagesize=A4)
    document.addPageTemplates(PageTemplate(frames=[Frame(50, 50, 235, 740), Frame(310, 50, 235, 740)]))
    document.build([paragraph(text) for text in paragraphs])
    return out.getvalue()


def lines_pdf(pages: list[list[str]]) -> bytes:
    out = BytesIO()
    canvas = Canvas(out, pagesize=A4)
    for lines in pages:
        for number, line in enumerate(lines):
            canvas.drawString(50, 800 - 14 * number, line)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def scanned_pdf() -> bytes:
    out = BytesIO()
    canvas = Canvas(out, pagesize=A4)
    canvas.rect(100, 100, 300, 300, fill=1)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def encrypted_pdf(data: bytes, password: str) -> bytes:
    out = BytesIO()
    with pikepdf.open(BytesIO(data)) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(user=password, owner="owner", R=4))
    return out.getvalue()


def policy_pdf() -> bytes:
    rows = [
        ["Reason code", "Meaning", "Time limit"],
        ["4853", "Goods not received", "120 days"],
        ["4837", "No authorisation", "90 days"],
    ]
    body = "A cardholder may dispute a payment within 120 days of the posting date, unless the terms say otherwise. "
    return flowing_pdf(
        paragraph("Dispute handling", "Title"),
        paragraph("1. Scope", "Heading1"),
        paragraph(body * 3),
        paragraph("2. Time limits", "Heading1"),
        Table(rows),
        PageBreak(),
        paragraph("3. Evidence", "Heading1"),
        paragraph(body * 2),
    )


def archive(members: Mapping[str, bytes | str]) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in members.items():
            zipped.writestr(name, content)
    return out.getvalue()


def docx(body: str, **extra: str | bytes) -> bytes:
    """A DOCX with the given body XML; `extra` members are named with `__` for `/`."""
    members: dict[str, str | bytes] = {
        "[Content_Types].xml": "<Types/>",
        "word/document.xml": f"<w:document {W}><w:body>{body}</w:body></w:document>",
    }
    members.update({f"{name.replace('__', '/')}.xml": content for name, content in extra.items()})
    return archive(members)


def docx_paragraph(text: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:t>{escape(text)}</w:t></w:r></w:p>"
