"""What the public docstrings show is what happens, and all of them have the parts that a reader looks for."""

from __future__ import annotations

import doctest
import inspect
import sys

import pytest
import torch

import uap_core

SHOWN_ELSEWHERE = {"AttackResult", "Crafter", "Evaluation", "Progress"}  # what other names take or return, and show


def examples() -> list[doctest.DocTest]:
    finder, found = doctest.DocTestFinder(), of_the_package()
    for name in uap_core.__all__:
        thing = getattr(uap_core, name)
        found += finder.find(thing, name, sys.modules[thing.__module__])
    return [test for test in found if test.examples]


def of_the_package() -> list[doctest.DocTest]:
    parser = doctest.DocTestParser()
    return [parser.get_doctest(uap_core.__doc__ or "", {}, "uap_core", uap_core.__file__, 0)]


@pytest.mark.parametrize("test", examples(), ids=lambda test: test.name)
def test_what_a_docstring_shows_happens(test: doctest.DocTest) -> None:
    torch.manual_seed(0)
    failures: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test, out=failures.append)
    assert not failures, "".join(failures)


@pytest.mark.parametrize("name", uap_core.__all__)
def test_a_docstring_shows_its_use_and_tells_of_everything_that_is_taken(name: str) -> None:
    thing = getattr(uap_core, name)
    said = inspect.getdoc(thing) or ""
    assert "Example:\n" in said or name in SHOWN_ELSEWHERE
    told = said.partition("Args:\n")[2].partition("\n\n")[0]
    told = told or said.splitlines()[0]
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = () if thing is uap_core.UapError else inspect.signature(thing).parameters.values()
    takes = [parameter.name for parameter in parameters if parameter.kind in named]
    assert [parameter for parameter in takes if parameter not in told] == []
