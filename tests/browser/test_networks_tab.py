"""The tab Networks in a real browser: what is listed, fetched, cancelled and used."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from first_view import wait_for
from hub_stand_in import TIMM
from quick_page import open_tab

NETWORK = "EfficientNet-Lite0"


def look_at(page, name: str) -> None:
    page.locator("#networks-table").get_by_role("button", name=name, exact=True).click()


def test_networks_tab_lists_the_zoo_and_says_when_there_is_no_connection(page) -> None:
    open_tab(page, "Networks")
    page.locator(".listing tr").nth(17).wait_for()
    rows = [row.split("\t") for row in page.locator(".listing tr").all_inner_texts()]
    kinds = ["ResNet-64", "Robust ResNet-64", "Universally trained ResNet-64", "Separable-64", "VGG-64"]
    names = page.locator(".listing th button").all_inner_texts()
    assert {*kinds, "Twin", NETWORK, "VGG-16", "ViT-B/16", "ResNet-152"} <= set(names)
    assert names.index("Twin") > names.index("VGG-64"), "what is not here comes last"
    found = {name: row[1:] for name, row in zip(names, rows[1:], strict=True)}
    assert found["ResNet-64"][3] == "in memory"
    assert found[NETWORK][3] in ("in memory", "here")  # the page loads it while its first visitor reads
    assert found["VGG-16"] == ["224 px", "528 MB", "71.6%", "not here"]
    assert page.get_by_label("Network", exact=True).count() == 1, "one selector called so"
    look_at(page, "ResNet-50")
    wait_for(page, "#networks-details", r"Without a connection, save https://.*resnet50-0676ba61\.pth as")
    assert not page.locator("#networks-use").is_visible()
    page.locator("#networks-fetch").click()
    said = wait_for(page, "#networks-said", r"There is no connection to download\.pytorch\.org")
    assert str(Path.home()) not in said
    page.locator("#networks-fetch").wait_for()
    page.locator("#pictures-fetch").click()
    wait_for(page, "#networks-pictures", r"There is no connection to s3\.amazonaws\.com")
    page.locator("#pictures-fetch").wait_for()
    assert not page.locator("#pictures-stop").is_visible()


@pytest.mark.goes_on
def test_a_network_is_fetched_cancelled_fetched_again_and_used(page, models_folder: Path) -> None:
    open_tab(page, "Networks")
    look_at(page, "Twin")
    wait_for(page, "#networks-fetch", "Download Twin")
    page.locator("#networks-fetch").click()
    wait_for(page, "#networks-said", r"Twin: (0\.[1-9]|[1-3]\.\d) of 4\.7 MB")
    open_tab(page, "Library")
    open_tab(page, "Networks")  # which looks at everything anew
    page.wait_for_timeout(700)
    assert not page.locator("#networks-fetch").is_visible()
    page.locator("#networks-stop").click()
    wait_for(page, "#networks-said", "Cancelled")
    for _ in range(50):  # what is under way ends with the bytes that it waits for
        page.wait_for_timeout(100)
        if (left := [path.name for path in models_folder.iterdir()]) == ["twin.json"]:
            break
    assert left == ["twin.json"]
    page.locator("#networks-fetch").click()
    wait_for(page, "#networks-said", "Twin is here")
    page.locator("#networks-use").click()
    page.wait_for_function("document.querySelector('#network input').value == 'Twin, 64 px'")
    page.locator("#first-view .first[data-network^='Twin']").wait_for()
    wait_for(page, "#first-view .sentence", "The network|So does")
    open_tab(page, "Networks")
    page.locator("#networks-more > button").click()
    wait_for(page, "#networks-memory", "In memory: .*Twin.* of 1500 MB")


def type_and_click(page, typed: str, hit: str) -> None:
    page.locator("#timm-typed").locator("input, textarea").fill(typed)
    page.locator("#timm-hits label").get_by_text(hit).click()


@pytest.mark.goes_on
def test_networks_of_timm_are_found_by_typing(page) -> None:
    open_tab(page, "Networks")
    typed = page.locator("#timm-typed").locator("input, textarea")
    typed.fill("resnet18 a1")
    wait_for(page, "#timm-said", r"^1 network\. Click it to see it\.$")
    assert page.locator("#timm-hits label").all_inner_texts() == ["resnet18.a1_in1k · 224 px · 47 MB · top-1 71.5%"]
    typed.fill("vit")
    wait_for(page, "#timm-said", r"^\d{3} networks\. Click one to see it\. The first 12 are shown: type more of the name\.$")
    assert page.locator("#timm-hits label").count() == 12
    typed.fill("vitt")
    wait_for(page, "#timm-said", "^No network of timm has this in its name")
    assert page.locator("#timm-hits label").count() == 0
    type_and_click(page, "resnet18", "resnet18.a1_in1k")
    wait_for(page, "#networks-details", r"71\.5% as published, ImageNet validation")
    wait_for(page, "#networks-details h3", r"^resnet18\.a1_in1k$")
    page.locator("#networks-fetch").click()
    wait_for(page, "#networks-said", r"has no model\.safetensors of timm/resnet18\.a1_in1k, and other files could run code")
    type_and_click(page, "eva giant 224", "eva_giant_patch14_224.clip_ft_in1k")
    wait_for(page, "#networks-fetch", "Download eva_giant_patch14_224")
    page.locator("#networks-fetch").click()
    wait_for(page, "#networks-said", r"needs 4050 MB, more than the 1500 MB that networks may take")


@pytest.mark.goes_on
def test_a_network_of_timm_is_fetched_cancelled_fetched_again_and_used(page, hub_home: dict[str, str]) -> None:
    open_tab(page, "Networks")
    type_and_click(page, "test_vit", TIMM)
    wait_for(page, "#networks-fetch", f"Download {TIMM}")
    page.locator("#networks-fetch").click()
    wait_for(page, "#networks-said", rf"{TIMM}: 0\.\d of 1\.5 MB, about \d+ s left")
    page.locator("#networks-stop").click()
    wait_for(page, "#networks-said", "Cancelled")
    left: list[Path] | None = None
    for _ in range(50):  # what is under way ends with the bytes that it waits for
        page.wait_for_timeout(100)
        with suppress(FileNotFoundError):  # a folder that goes while it is being read
            if not (left := list((Path(hub_home["HF_HOME"]) / "hub").rglob("*"))):
                break
    assert left == []
    page.locator("#networks-fetch").click()
    wait_for(page, "#networks-said", f"{TIMM} is here")
    page.locator(".listing tr").get_by_text(TIMM).wait_for()
    page.locator("#networks-use").click()
    page.wait_for_function(f"document.querySelector('#network input').value == '{TIMM}, 160 px'")
    page.wait_for_function(
        "document.querySelector('#pattern input').value == 'Random noise, to compare'"
    )  # none fits 160 pixels
    wait_for(page, "#first-view .sentence", "The network|So does")
