"""The precomputed results: what the page shows as precomputed, and the figures of docs/results.md.

One job makes one file of assets/. A finished job is skipped, a stopped one continues, and one whose
network, set of pictures or settings have changed starts again (a change of the code itself is not noticed). Which
networks are meant says ``networks``; each kind of file has a module of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from uap_core.experiments.networks import EMBEDDED, KINDS, LIMITED, OTHERS, SEVEN, VIEWED
from uap_core.models.zoo import QUICK_MODEL
from uap_core.precompute.curves import curve_jobs
from uap_core.precompute.data_free import data_free_jobs
from uap_core.precompute.defences import defence_jobs
from uap_core.precompute.digit_games import digit_jobs
from uap_core.precompute.equal_l2 import equal_l2_jobs
from uap_core.precompute.evaluations import evaluation_job
from uap_core.precompute.feels import feel_jobs
from uap_core.precompute.few_pictures import few_job
from uap_core.precompute.generator_tables import generator_jobs
from uap_core.precompute.geometry import why_jobs
from uap_core.precompute.library import library_jobs
from uap_core.precompute.limits import limit_jobs
from uap_core.precompute.lipschitz import lipschitz_jobs
from uap_core.precompute.materials import Job, Materials
from uap_core.precompute.methods import method_jobs
from uap_core.precompute.outcomes import outcome_jobs
from uap_core.precompute.several import several_jobs
from uap_core.precompute.small_networks import small_jobs
from uap_core.precompute.transfer import transfer_jobs

PARTS = (
    "library",
    "sweep",
    "outcomes",
    "matrix",
    "transfer",
    "curves",
    "convergence",
    "ablations",
    "data-free",
    "few-pictures",
    "alone",
    "several",
    "defences",
    "why",
    "feels",
    "evaluations",
    "limits",
    "lipschitz",
    "small",
    "generators",
    "games",
    "opening",
)


def jobs(materials: Materials, parts: Sequence[str], networks: Sequence[str]) -> list[Job]:
    """All jobs of ``parts`` whose networks are among ``networks``, in the order in which they should be done.

    Raises ModelError for a network that is not known.
    """
    for key in networks:
        materials.card(key)
    made = library_jobs(materials, networks) + outcome_jobs(materials, networks)
    made += equal_l2_jobs(materials, networks) + transfer_jobs(materials, networks) + defence_jobs(materials, networks)
    made += small_jobs(materials, networks) + data_free_jobs(materials, networks)
    for key in networks:
        if key in (*SEVEN, *EMBEDDED):
            made.append(evaluation_job(materials, key))
        if key in KINDS:
            made.append(few_job(materials, key))
        if key in LIMITED:
            made += limit_jobs(materials, key)
        if key in (*VIEWED, *OTHERS):
            made += lipschitz_jobs(materials, key)
        if key in VIEWED:
            made += curve_jobs(materials, key) + method_jobs(materials, key)
            made += feel_jobs(materials, key) + why_jobs(materials, key)
    if QUICK_MODEL in networks:
        made += generator_jobs(materials) + digit_jobs(materials)
    made += several_jobs(materials, networks)
    return sorted((job for job in made if job.part in parts), key=lambda job: PARTS.index(job.part))
