"""The sentence under the headline: true of what it was measured on, and of the strength that is looked at."""

from __future__ import annotations

import numpy as np

from uap_core.experiments.outcomes import NOISE, PATTERN, OutcomeRow
from uap_core.norms import LINF
from uap_core.ui.state import Pattern, Studio
from uap_core.ui.tabs.apply.lead import lead_of, leads_of

NETWORK, OWN = "efficientnet_lite0", "own:mine"
READY = f"{NETWORK}-linf10.safetensors"


def mine(**stated: object) -> dict[str, Pattern]:
    values = np.full((3, 224, 224), 10 / 255, dtype=np.float32)
    provenance = {"network": NETWORK, "held_out": {"fooling_rate": 0.875, "random_signs": 0.12, **stated}}
    return {"mine": Pattern("mine", values, LINF, 10 / 255, provenance)}


def test_rates_on_class_impressions_are_not_called_those_of_photographs() -> None:
    drawn = lead_of(Studio(), NETWORK, OWN, mine(set=f"32 images of {NETWORK} (held-out)"))
    assert "88 of 100 class impressions" in drawn
    assert "not measured on photographs" in drawn
    assert "88 of 100 photographs" not in drawn
    assert "88 of 100 photographs" in lead_of(Studio(), NETWORK, OWN, mine(set="32 images of holidays (held-out)"))
    turned = lead_of(Studio(), NETWORK, OWN, mine(set=f"32 images of {NETWORK} (held-out)", target_rate=0.5))
    assert "of 255, turns 50 of 100 class impressions" in turned


def test_the_sentence_follows_the_slider_by_the_photographs_of_the_dots() -> None:
    leads, table = leads_of(Studio(), NETWORK, READY), Studio().precomputed(f"{NETWORK}-linf10-outcomes", OutcomeRow)
    count = int(table.provenance["images"])
    for row in table.rows:
        if row.attack in (PATTERN, NOISE):
            level, changed = round(255 * row.epsilon), int(row.bits, 16).bit_count()
            said = leads[level - 1]
            assert f"by more than {level} of 255," in said
            name = "on {:.0f} of 100" if row.attack == PATTERN else "just as strong: on {:.0f}."
            assert name.format(100 * changed / count) in said
    assert len(leads) == 32
    assert leads[9] == lead_of(Studio(), NETWORK, READY, {}), "at its own strength it is what the pattern states"


def test_of_what_no_photographs_tell_there_is_one_sentence() -> None:
    assert leads_of(Studio(), NETWORK, OWN) == []
    assert leads_of(Studio(), NETWORK, "resnet64-linf10.safetensors") == []
    assert leads_of(Studio(), NETWORK, f"{NETWORK}-linf10-brain-coral.safetensors") == []
