"""The public API under wrong types and ranges: each call gives the right result, or one sentence of ours."""

from __future__ import annotations

import re
import warnings
from collections import Counter

from public_calls import calls

from uap_core.errors import UapError

SENTENCE = re.compile(r"[A-Z'({][^\n]{10,3000}[.)?]")


def test_every_call_gives_the_right_result_or_a_sentence() -> None:
    found: Counter[str] = Counter()
    wrong = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for call in calls():
            try:
                given = call.call()
            except UapError as error:
                found["refused"] += 1
                if not SENTENCE.fullmatch(str(error)):
                    wrong.append(f"{call.name}: no sentence: {error}")
                if call.right and "Ball" not in call.name and call.right.func.__name__ == "_near":  # type: ignore[attr-defined]
                    wrong.append(f"{call.name}: refused: {error}")
            except Exception as error:
                wrong.append(f"{call.name}: {type(error).__name__}: {error}")
            else:
                found["given"] += 1
                if call.right is None or not call.right(given):
                    wrong.append(f"{call.name}: gave {str(given)[:80]}")
    assert not wrong, f"{len(wrong)} of {sum(found.values())}:\n" + "\n".join(wrong)
    assert sum(found.values()) >= 1000
    assert found["given"] >= 100
