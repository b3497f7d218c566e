"""A real PostgreSQL server of a test's own."""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.support.processes import free_port

PASSWORD = "pg-secret-1f7a"
FOLDERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
USER = "postgres"  # it refuses to run as root


class Postgres:
    """A cluster in a folder of its own, on a port of its own, with a password."""

    def __init__(self) -> None:
        self.folder, self.port = Path(tempfile.mkdtemp(prefix="foldproof-postgres-")), free_port()
        self._secret = self.folder / "password"
        self._secret.write_text(PASSWORD)
        if os.getuid() == 0:
            owner = pwd.getpwnam(USER)
            for path in (self.folder, self._secret):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        options = ("--username=prefect", "--auth=scram-sha-256", f"--pwfile={self._secret}")
        self._run("initdb", "-D", str(self._data), *options)
        self.start()

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def url(self) -> str:
        """The address as Prefect takes it."""
        return f"postgresql+asyncpg://prefect:{PASSWORD}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1"
        log = ("-l", str(self.folder / "log"))
        self._run("pg_ctl", "-D", str(self._data), *log, "-o", options, "-w", "start")

    def stop(self) -> None:
        """Stop it at once, as a crash does."""
        self._run("pg_ctl", "-D", str(self._data), "-m", "immediate", "-w", "stop")

    def remove(self) -> None:
        """Stop it and remove its folder."""
        self.stop()
        shutil.rmtree(self.folder)

    def dump(self) -> str:
        """Return all that it holds, as text."""
        command = ["psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "prefect", "postgres"]
        listed = "select tablename from pg_tables where schemaname = 'public'"
        query = ["-At", "-c"]
        environment = os.environ | {"PGPASSWORD": PASSWORD}

        def ask(text: str) -> str:
            return subprocess.run(
                [*command, *query, text], env=environment, capture_output=True, text=True
            ).stdout

        return "".join(ask(f'select * from "{name}"') for name in ask(listed).split())

    def _run(self, program: str, *arguments: str) -> None:
        user = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
        prefix = user if os.getuid() == 0 else []
        command = [*prefix, str(FOLDERS[0] / program), *arguments]
        with (self.folder / "commands").open("ab") as log:
            subprocess.run(command, check=True, stdout=log, stderr=log, cwd="/")
