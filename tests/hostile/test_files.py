"""No file of the machine is served but what the page means to serve."""

from __future__ import annotations

import http.client
import tempfile
from pathlib import Path
from urllib.parse import quote, urlparse

import pytest
from pictures import encoded, noise
from running import ROOT, Running
from visitor import Visitor

SECRETS = {
    str(ROOT / "app.py"): b"front door",
    str(ROOT / "README.md"): b"Universal adversarial perturbations",
    str(ROOT / "uap_core" / "errors.py"): b"UapError",
    str(ROOT / "assets" / "models" / "resnet64.json"): b"resnet64",
    str(ROOT / "assets" / "perturbations" / "resnet64-linf10.safetensors"): b"pattern",
    str(ROOT / ".gitignore"): b"__pycache__",
    "/etc/passwd": b"root:",
    "/proc/self/environ": b"PATH=",
}


def ways_to(path: str) -> list[str]:
    """Addresses that might lead to a file."""
    relative = path.lstrip("/")
    up = "../" * 12
    return [
        *(path, f"//{path}", f"/.{path}", f"file://{path}", f"{up}{relative}", f"/tmp/{up}{relative}", f"./{up}{relative}"),
        *(f"{path}%00.png", f"{path}\\", path.replace("/", "\\"), path.replace("/", "%2f"), path.replace("/", "%252f")),
        *(quote(path, safe=""), quote(f"{up}{relative}", safe=""), f"..%2f..%2f..%2f..%2f..%2f{relative}", f"..;/{relative}"),
        *(f"%2e%2e/{up}{relative}", f"..%5c..%5c{relative}", f"..%c0%af{relative}", f"{tempfile.gettempdir()}/{up}{relative}"),
    ]


def fetched(address: str, path: str) -> tuple[int, bytes]:
    """Exactly this path, which ordinary clients would tidy before they ask."""
    connection = http.client.HTTPConnection(urlparse(address).netloc, timeout=30)
    try:
        connection.putrequest("GET", path.replace(" ", "%20"), skip_host=False)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("secret", SECRETS, ids=lambda path: Path(path).name)
def test_no_way_leads_to(secret: str, app: Running) -> None:
    roots = (
        "/gradio_api/file=",
        "/gradio_api/file/",
        "/file=",
        "/gradio_api/proxy=",
        "/static/",
        "/assets/",
        "/svelte/",
        "/theme.css/",
        "/",
    )
    for way in ways_to(secret):
        for root in roots:
            status, body = fetched(app.address, f"{root}{way}")
            if status == 200 and body.startswith(b"<!doctype html>"):
                continue  # the page itself
            assert SECRETS[secret] not in body or status >= 400, f"{root}{way}"
            assert b"Traceback" not in body


def test_a_link_in_the_folder_of_uploads_leads_nowhere(visitor: Visitor, tmp_path: Path) -> None:
    """Visitors cannot make links; should one be there all the same, it is followed before it is judged."""
    path = Path(visitor.upload("mine.png", encoded(noise(5)))["path"])
    link = path.with_name("link.png")
    link.symlink_to(ROOT / "README.md")
    try:
        status, body = fetched(visitor.config["root"], f"/gradio_api/file={link}")
        assert status == 403 or b"Universal" not in body
        answer = visitor.call(
            "accept", [{**visitor.upload("mine.png", encoded(noise(5))), "path": str(link)}, "resnet64", None]
        )
        assert "Your picture" not in answer.text
    finally:
        link.unlink()


def test_a_page_that_was_uploaded_is_a_download(visitor: Visitor) -> None:
    """Whoever sends others the address of an uploaded page gives them a file to save; it does not run as part of this one."""
    for name, data in (("x.html", b"<script>1</script>"), ("x.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='1'/>")):
        path = visitor.upload(name, data)["path"]
        answer = visitor.http.get(f"/gradio_api/file={path}")
        assert answer.status_code == 200
        assert answer.headers["content-disposition"].startswith("attachment")


def test_what_was_uploaded_lies_under_a_name_that_nobody_can_guess(visitor: Visitor) -> None:
    """It is the hash of what it holds: whoever does not have the file cannot tell its address."""
    path = Path(visitor.upload("mine.png", encoded(noise(6)))["path"])
    assert len(path.parent.name) == 64
    assert visitor.http.get(f"/gradio_api/file={path.parent}").status_code in (403, 404)
    assert visitor.http.get(f"/gradio_api/file={path.parent.parent}").status_code in (403, 404)
    other = path.parent.parent / ("0" * 64) / "mine.png"
    assert visitor.http.get(f"/gradio_api/file={other}").status_code in (403, 404)


def test_an_id_of_an_upload_is_short_and_its_progress_is_told(visitor: Visitor) -> None:
    """Gradio keeps such ids in memory (tests/ui/test_upload_ids.py)."""
    file = {"files": ("a.txt", b"x")}
    for wrong in ("x" * 60_000, "x" * 65, "a/b"):
        assert visitor.http.post("/gradio_api/upload", params={"upload_id": wrong}, files=file).status_code == 400
        assert visitor.http.get("/gradio_api/upload_progress", params={"upload_id": wrong}).status_code == 404
    assert visitor.http.post("/gradio_api/upload", params={"upload_id": "k3x9"}, files=file).status_code == 200
    assert '"done"' in visitor.http.get("/gradio_api/upload_progress", params={"upload_id": "k3x9"}).text
