"""One run over several processes: each takes its share of every batch, and sums are formed over all of them.

With one process (no ``torchrun``) nothing is sent and nothing differs. With several, all draw the same random numbers and so
agree on every batch; only sums over images travel, so the result is that of one process up to the order of summation.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch import distributed as dist


@contextmanager
def process_group() -> Iterator[tuple[int, int]]:
    """(rank, number of processes) as ``torchrun`` set them up; (0, 1) without it.

    gloo carries numbers between processors, nccl between CUDA devices.
    """
    if "WORLD_SIZE" not in os.environ:
        yield 0, 1
        return
    # Its defaults hold the group that there is when it is first imported; gloo's threads then outlive Python, and now and then
    # abort the process at its exit. So it is imported before there is a group.
    import torch.distributed.nn.functional

    dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield dist.get_rank(), dist.get_world_size()
    finally:
        dist.destroy_process_group()


def rank_and_size() -> tuple[int, int]:
    """This process and how many there are: (0, 1) without a process group."""
    if not (dist.is_available() and dist.is_initialized()):
        return 0, 1
    return dist.get_rank(), dist.get_world_size()


def my_share(items: Tensor) -> Tensor:
    """This process's share of ``items`` (n,...): every ``size``-th, starting at its rank."""
    rank, size = rank_and_size()
    return items[rank::size]


def all_sum(mine: Tensor) -> Tensor:
    """The sum of ``mine`` over all processes, in place."""
    if rank_and_size()[1] > 1:
        dist.all_reduce(mine)
    return mine


def all_max(mine: Tensor) -> Tensor:
    """The elementwise maximum of ``mine`` over all processes, in place."""
    if rank_and_size()[1] > 1:
        dist.all_reduce(mine, dist.ReduceOp.MAX)
    return mine


def all_agree(text: str) -> bool:
    """Whether ``text`` is the same in all processes; every process gets the same answer."""
    mine = torch.tensor(list(hashlib.sha256(text.encode()).digest()))
    return bool(torch.equal(all_max(mine.clone()), -all_max(-mine)))
