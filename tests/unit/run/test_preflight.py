"""What is refused before anything is read."""

import pytest

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.study import parse_study
from foldproof.tasks.run.preflight import refuse_elsewhere


@pytest.mark.parametrize("command", ["audit.py", "compare.py"])
def test_what_stays_on_this_machine_says_so_in_a_line(command):
    refuse_elsewhere(parse_study({}), command)
    with pytest.raises(InputError, match=rf"^compute\.engine: {command} trains on this machine"):
        refuse_elsewhere(parse_study({"compute": {"engine": "dask"}}), command)
    with pytest.raises(InputError, match=rf"^out: {command} writes to folders only"):
        refuse_elsewhere(parse_study({"out": "s3://bucket/out"}), command)
