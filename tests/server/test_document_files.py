"""Files that cannot be read: the upload says why, and so does the document's row."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from io import BytesIO

import pytest

from tests.fakes.endpoint import FakeEndpoint
from tests.server.errors import assert_error
from tests.server.site import Site, open_site
from tests.tools.knowledge.files import encrypted_pdf, lines_pdf, policy_pdf, scanned_pdf

EXECUTABLE = b"MZ\x90\x00\x03\x00\x00\x00" + bytes(range(256)) * 8


def bomb() -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", b"0" * 300_000_000)
    return out.getvalue()


BAD: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "0 bytes": ("empty.pdf", lambda: b"", "empty_document"),
    "encrypted": ("locked.pdf", lambda: encrypted_pdf(policy_pdf(), "secret"), "encrypted_pdf"),
    "corrupt": ("broken.pdf", lambda: b"%PDF-1.7\n" + b"garbage " * 50, "corrupt_document"),
    "cut off": ("half.pdf", lambda: policy_pdf()[:700], "corrupt_document"),
    "scanned": ("scan.pdf", scanned_pdf, "no_text"),
    "executable": ("setup.pdf", lambda: EXECUTABLE, "unsupported_type"),
    "ZIP bomb": ("bomb.docx", bomb, "archive_bomb"),
    "page as PDF": ("page.pdf", lambda: b"<html><body>A page</body></html>", "type_mismatch"),
    "no DOCX": ("letter.docx", lambda: b"PK\x03\x04" + b"junk" * 50, "corrupt_document"),
    "unknown encoding": ("note.txt", lambda: "Это не похоже на западный текст".encode("cp1251"), "bad_encoding"),
    "too much text": ("log.txt", lambda: b"word " * 2_100_000, "file_too_large"),
    "picture": ("photo.png", lambda: b"\x89PNG\r\n\x1a\n" + bytes(64), "unsupported_type"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_cannot_be_read(site: Site, name: str) -> None:
    filename, content, code = BAD[name]
    error = assert_error(site.upload(filename, content(), id=f"bad/{name}", collection="bad"), 422, code)
    view = site.http.get(f"/documents/bad/{name}").json()
    assert (view["status"], view["chunks"]) == ("failed", 0)
    assert view["error"] == {"code": code, "message": error["message"]}
    assert view["title"] == filename


def test_a_queued_file_that_cannot_be_read_ends_as_failed(site: Site) -> None:
    answer = site.upload("later.pdf", b"%PDF-1.7\nnothing", wait=False, id="later-bad", collection="bad")
    assert answer.status_code == 202
    assert_error(
        site.upload("later.pdf", b"%PDF-1.7\nnothing", id="later-bad", collection="bad"), 422, "corrupt_document"
    )
    assert site.http.get("/documents/later-bad").json()["error"]["code"] == "corrupt_document"


def test_a_failed_file_answers_no_question_and_no_extraction(site: Site) -> None:
    site.upload("x.pdf", b"%PDF-1.7\nnothing", id="unread", collection="bad")
    answer = site.http.post("/extract", json={"document_id": "unread", "schema": "invoice"})
    assert_error(answer, 422, "document_not_ready")


def test_a_pdf_of_500_pages_is_indexed_whole(site: Site) -> None:
    content = lines_pdf([[f"Rule number {page} limits transfers to {page} euros."] for page in range(1, 501)])
    added = site.upload("manual.pdf", content, collection="long")
    assert added.status_code == 201, added.text
    view = site.http.get(f"/documents/{added.json()['document_id']}").json()
    assert (view["status"], view["pages"]) == ("indexed", 500)
    body = {"query": "rule number 499", "mode": "sparse", "collection": "long", "top_k": 1}
    (found,) = site.http.post("/search", json=body).json()["results"]
    assert (found["page"], "499" in found["text"]) == (499, True)


def test_an_unheard_of_name_is_kept_harmless(site: Site) -> None:
    answer = site.upload("../../etc/\u202epasswd\x01.txt", b"The vault opens at eight.", collection="names")
    assert answer.status_code == 201
    assert "/" not in answer.json()["document_id"]


def test_a_file_over_the_limit(
    fake: FakeEndpoint, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> None:
    with open_site(tmp_path_factory.mktemp("small"), fake, pytestconfig, max_upload_mb=1) as small:
        assert_error(small.upload("big.txt", b"word " * 300_000), 413, "too_large")
        assert_error(small.http.post("/documents", json={"title": "A", "text": "word " * 300_000}), 413, "too_large")
        chunks = (b'{"title": "A", "text": "' + b"word " * 200_000 for _ in range(2))
        headers = {"Content-Type": "application/json"}
        assert_error(small.http.post("/documents", content=chunks, headers=headers), 413, "too_large")
        assert_error(small.http.post("/chat", json={"message": "word " * 300_000}), 413, "too_large")
        assert len(small.http.get("/documents").json()["documents"]) == 3
