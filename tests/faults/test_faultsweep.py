"""A sample of the fault sweep, other in every run; `faultsweep.py` without `--sample` is the whole of it."""

import pathlib
import random
import shutil
import sys

import pytest

from harness.place import IS_ROOT, REPOSITORY, seed

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from faultsweep import PATHS, Sweep  # noqa: E402

pytestmark = [
    pytest.mark.skipif(not shutil.which("strace"), reason="no strace"),
    pytest.mark.skipif(not IS_ROOT, reason="the account is another uid"),
]

SAMPLE = 15


@pytest.mark.parametrize("name", PATHS)
def test_a_sample_of_the_faults(place, name):
    sweep = Sweep(place)
    faults = sweep.faults(name)
    for fault in random.Random(seed()).sample(faults, SAMPLE):
        sweep.attempt(*fault)


# What the sweep found once: the path, the call that failed (each of its times), the fault.
FOUND = [
    ("delete", "fsync", "EIO"),
    ("rename", "fsync", "EIO"),
    ("rename", "renameat", "EIO+"),
    ("rename", "renameat2", "EIO+"),
    ("rename", "openat2", "ENOSPC"),
    ("rename", "newfstatat", "EMFILE"),
    ("append", "openat2", "EMFILE"),
    ("create", "openat2", "EMFILE"),
    ("status", "openat2", "EMFILE"),
]


@pytest.mark.parametrize("name, call, fault", FOUND)
def test_what_was_found_stays_away(place, name, call, fault):
    sweep = Sweep(place)
    attempts = [sweep.attempt(*each) for each in sweep.faults(name, [fault]) if each[1] == call]
    assert any(attempts)
