"""How much work the pickles of a torch file ask for, told before torch reads them.

A few hundred bytes can ask for all the time and memory there is: a tuple that holds the one before it twice, forty times over,
is walked through 2^40 times when it names an entry of a dictionary; long lists can be copied again and again. Here each word of
a pickle is counted with all that it walks through, and nothing is built. What may be built at all is torch's to say.
"""

from __future__ import annotations

import io
import pickletools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from uap_core.errors import PerturbationError

MOST_WORK = 400_000  # words; a file of a thousand tensors asks for some 100 000
PICKLES_OF_OLD = 5  # in torch's files before version 1.6: three of the format, what was saved, and the names of the storages
COPIED, TEXT = 10, 100  # entries that are copied in the time of one word; characters in the time of one entry
KEEP, RECALL = ("PUT", "BINPUT", "LONG_BINPUT"), ("GET", "BINGET", "LONG_BINGET")
FILL, CALL = ("APPEND", "APPENDS", "SETITEM", "SETITEMS", "BUILD"), ("REDUCE", "NEWOBJ")


@dataclass(slots=True)
class _Thing:
    """What a pickle would build: ``work`` is what walking through it takes, ``length`` how much it holds by itself."""

    work: int = 1
    length: int = 0


def check_work(path: Path) -> None:
    """Raise PerturbationError where the pickles of torch's file at ``path`` ask for more work than any pattern does.

    Damaged files raise what torch and pickletools raise: ValueError, LookupError, RuntimeError and others.
    """
    left = MOST_WORK
    for pickle in _pickles(path):
        for cost in _costs(pickle):
            left -= cost
            if left < 0:
                raise PerturbationError("This PyTorch file holds far more than a pattern. Save the pattern alone, as a tensor.")


def _pickles(path: Path) -> Iterator[IO[bytes]]:
    """Each pickle of a file, told apart and found as torch does it."""
    with path.open("rb") as stream:
        if stream.read(4) != b"PK\3\4":
            stream.seek(0)
            yield from [stream] * PICKLES_OF_OLD
            return
    import torch

    reader = torch._C.PyTorchFileReader(str(path))
    stored = [name.removeprefix("data/") for name in reader.get_all_records() if name.startswith("data/")]
    if not all(name.isdecimal() for name in stored):  # torch finds "A" by the name "a" as well, and would read it twice
        raise PerturbationError("This PyTorch file was not written by torch.save. Save the pattern with it, as a tensor.")
    yield io.BytesIO(reader.get_record("data.pkl"))


def _costs(pickle: IO[bytes]) -> Iterator[int]:
    """What each word of one pickle costs, up to its last one. A function is taken to copy the longest thing there is."""
    stack: list[_Thing | None] = []  # None: a mark
    kept: dict[Any, _Thing | None] = {}
    longest = 0
    for word, given, _place in pickletools.genops(pickle):
        cost = 1
        if word.name in KEEP:
            kept[given] = stack[-1]
        elif word.name in RECALL:
            stack.append(kept[given])
        elif word.name == "MARK":
            stack.append(None)
        else:
            taken = _taken(stack, word.stack_before)
            filled = taken.pop(0) if word.name in FILL else None
            cost += sum(thing.work for thing in taken)
            if filled:  # not walked through by itself: lists and dictionaries cannot name an entry
                filled.length += len(taken)
                longest = max(longest, filled.length)
                stack.append(filled)
            else:
                longest = max(longest, len(taken), len(given) // TEXT if isinstance(given, (str, bytes)) else 0)
                stack += [_Thing(cost, longest if word.name in CALL else 0) for _kind in word.stack_after]
            cost += longest // COPIED if word.name in (*CALL, "BUILD") else 0
        yield cost


def _taken(stack: list[_Thing | None], before: list[Any]) -> list[_Thing]:
    """The things that a word takes off the ``stack``, which holds what ``before`` says. Raises IndexError for fewer."""
    things: list[_Thing] = []
    above = before.index(pickletools.markobject) if pickletools.markobject in before else None
    if above is not None:
        while (thing := stack.pop()) is not None:
            things.append(thing)
    for _kind in before[:above]:
        thing = stack.pop()
        if thing is None:
            raise IndexError("a mark in the place of a thing")
        things.append(thing)
    return things[::-1]
