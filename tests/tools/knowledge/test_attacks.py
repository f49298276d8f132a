"""Uploads that hide something: what nobody would see is not read, and names name files only."""

from __future__ import annotations

from typing import Any

from tests.security.cases import attacks
from tests.tools.knowledge.files import flowing_pdf, paragraph
from tools.knowledge.load import parse_file


@attacks("file")
def test_hidden_text_is_not_read(attack: dict[str, Any]) -> None:
    content: bytes = attack["content"].encode()
    if "pdf_title" in attack:
        content = flowing_pdf(paragraph(attack["content"]), title=attack["pdf_title"])
    document = parse_file(content, attack["name"])
    read = f"{document.title}\n{document.text}\n{document.metadata}"
    assert not [text for text in attack["gone"] if text in read]
    assert all(text in document.text for text in attack["kept"])
    assert document.metadata["filename"] == attack.get("filename", attack["name"])
