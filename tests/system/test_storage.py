"""Results in object storage: a real server that speaks S3, real runs, real outages."""

import os
import shutil
import sys
import urllib.request
from pathlib import Path

import pytest
from pyarrow import fs

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.store.object_storage import Remote
from tests.support.command import CV, contents, cv, report_of, run
from tests.support.places import ROOT
from tests.support.processes import free_port, kill, open_process, wait_for
from tests.support.slow import SLOW

pytestmark = pytest.mark.server

LINEAR = ("--model", "sklearn.linear_model:LogisticRegression", "--split.n_splits", "4")
VERIFY = [sys.executable, str(ROOT / "flows" / "verify.py")]
SECRET = "nobody-may-read-this-key"
FLAKY = (
    "import pathlib\nfrom sklearn.linear_model import LogisticRegression\n\n\n"
    "class Flaky(LogisticRegression):\n"
    "    def fit(self, x, y, **options):\n"
    "        if pathlib.Path('broken').exists() and len(x) % 2:\n"
    "            raise ValueError('broken')\n"
    "        return super().fit(x, y, **options)\n\n\n"
    "def build():\n    return Flaky(max_iter=1000)\n"
)


class Store:
    """A server that speaks S3, with one bucket."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command, log = [sys.executable, "-m", "moto.server", "-p", str(port)], folder / "store.log"
        self.process = open_process(command, folder, dict(os.environ), log, log)
        self.variables = {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "somebody",
            "AWS_SECRET_ACCESS_KEY": SECRET,
        }
        wait_for(self._makes_bucket, log.read_text)

    def _makes_bucket(self) -> bool:
        request = urllib.request.Request(f"{self.url}/bucket", method="PUT")
        try:
            urllib.request.urlopen(request, timeout=5).close()
        except OSError:
            return False
        return True

    def files(self, place: str) -> dict[str, bytes]:
        """Return every object below a place of the bucket, by its name there."""
        host = self.url.removeprefix("http://")
        access = {"access_key": "somebody", "secret_key": SECRET, "region": "us-east-1"}
        system = fs.S3FileSystem(endpoint_override=host, scheme="http", **access)
        found = system.get_file_info(
            fs.FileSelector(f"bucket/{place}", allow_not_found=True, recursive=True)
        )
        return {
            info.path.removeprefix(f"bucket/{place}/"): system.open_input_file(info.path).read()
            for info in found
            if info.type == fs.FileType.File
        }

    def stop(self) -> None:
        """Kill it."""
        kill(self.process)


@pytest.fixture
def store(tmp_path):
    """A store of the test's own, which it may kill."""
    made = Store(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def api(prefect_api):
    """The address of a real Prefect server."""
    return {"PREFECT_API_URL": prefect_api}


def address_of(ended) -> str:
    assert ended.code == 0, ended.err
    return ended.out.strip().splitlines()[-1].removeprefix("report: ")


def test_a_run_has_the_same_bytes_in_a_folder_and_in_a_bucket(tmp_path, store, api):
    local = report_of(cv(*LINEAR, folder=tmp_path, **api))
    flags = (*LINEAR, "--out", "s3://bucket/study")
    first = cv(*flags, folder=tmp_path, **api, **store.variables)
    address = address_of(first)
    assert address == f"s3://bucket/study/runs/{local.name}"
    there = store.files("study")
    report = {name: there[f"runs/{local.name}/{name}"] for name in contents(local)}
    assert report == contents(local)
    folds = {path.name for path in (local.parent.parent / "folds").iterdir()}
    assert {name for name in there if name.startswith("folds/")} == {f"folds/{n}" for n in folds}
    shutil.rmtree(tmp_path / "reports")
    again = cv(*flags, folder=tmp_path, **api, **store.variables)
    assert address_of(again) == address
    assert again.err.count("from the store") == 4
    assert not (tmp_path / "reports").exists()
    assert SECRET not in first.out + first.err + str(there)
    verified = run([*VERIFY, address, "--folds", "1"], tmp_path, **store.variables)
    assert verified.code == 0, verified.out + verified.err
    assert verified.out.splitlines()[-1] == "identical"


def test_an_incomplete_report_is_replaced_and_a_complete_one_stays(tmp_path, store, api):
    (tmp_path / "flaky.py").write_text(FLAKY)
    flags = ("--model", "flaky:build", "--split.n_splits", "4", "--out", "s3://bucket/study")
    complete = ("manifest.json", "folds.parquet")
    (tmp_path / "broken").touch()
    broken = cv(*flags, folder=tmp_path, **api, **store.variables)
    assert broken.code == 3, broken.err
    before = store.files("study/runs")
    (tmp_path / "broken").unlink()
    assert cv(*flags, folder=tmp_path, **api, **store.variables).code == 0
    after = store.files("study/runs")
    assert before.keys() == after.keys()
    assert all(before[name] != after[name] for name in after if name.endswith(complete))
    (tmp_path / "broken").touch()
    again = cv(*flags, "--refresh", folder=tmp_path, **api, **store.variables)
    assert again.code == 3
    kept = store.files("study/runs")
    assert all(kept[name] == after[name] for name in after if name.endswith(complete))


def test_a_store_that_does_not_answer_is_one_line(tmp_path, store, api):
    flags = (*LINEAR, "--out", "s3://no-such-bucket/study")
    ended = cv(*flags, folder=tmp_path, **api, **store.variables)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("out: cannot write to 's3://no-such-bucket/study' (")
    assert ended.err.count("\n") == 1


def test_a_store_that_is_gone_in_mid_run_is_one_line(start, tmp_path, store, api):
    (tmp_path / "slow_model.py").write_text(SLOW)
    flags = ["--model", "slow_model:build", "--split.n_splits", "5", "--compute.workers", "1"]
    command = [*CV, *flags, "--out", "s3://bucket/study"]
    run_ = start(command, tmp_path, **api, **store.variables)
    run_.wait_for(lambda: store.files("study/folds"))
    store.stop()
    ended = run_.ended()
    assert (ended.code, ended.out) == (1, "")
    last = ended.err.splitlines()[-1]
    assert last.startswith("error: out: 's3://bucket/study' cannot be reached (")
    assert "Traceback" not in ended.err


def test_credentials_in_an_address_are_refused():
    with pytest.raises(InputError, match="put them into the environment"):
        Remote("s3://key:secret@bucket/study")


def test_names_go_before_the_question_mark():
    remote = Remote("s3://bucket/study?region=eu-central-1")
    assert remote.at("runs/a") == "s3://bucket/study/runs/a?region=eu-central-1"
