"""Keep the list of faults true: each piece of code that it names is there."""

import ast

import pytest

from tests.mutants.faults import Fault, read_faults
from tests.stack import ROOT


@pytest.mark.parametrize("fault", read_faults(), ids=lambda fault: fault.name)
def test_the_piece_is_there_and_what_replaces_it_is_code(fault: Fault) -> None:
    faulty = fault.apply_to((ROOT / fault.path).read_text())
    assert fault.faulty != fault.sound
    if fault.path.endswith(".py"):
        ast.parse(faulty)
    assert all((ROOT / test).exists() for test in fault.tests)
