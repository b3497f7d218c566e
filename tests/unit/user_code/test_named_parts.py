"""What an own splitter's module does when it is imported stays its own affair."""

import sys
from pathlib import Path

import pytest

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.user_code.named_parts import import_named


def test_a_module_that_changes_directory_tells_its_own_error(here: Path) -> None:
    (here / "restless.py").write_text("import os\nos.chdir('/')\nraise OSError('no licence')\n")
    before = list(sys.path)
    with pytest.raises(InputError) as caught:
        import_named("split.method", "restless:Splitter")
    assert str(caught.value) == (
        "split.method: cannot import 'restless' (OSError: no licence); it is looked for from the "
        "working directory"
    )
    assert sys.path == before


def test_a_module_may_change_directory_and_path(here: Path) -> None:
    (here / "wanderer.py").write_text(
        "import os, sys\nos.chdir('/')\nsys.path.clear()\nclass Splitter: ...\n"
    )
    before = list(sys.path)
    try:
        assert import_named("split.method", "wanderer:Splitter").__name__ == "Splitter"
    finally:
        sys.path[:] = before
    assert Path.cwd() == Path("/")
