"""Write a small file whole or not at all."""

import os
import socket
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Write a file: a reader sees all of it or nothing, whoever else writes it meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{socket.gethostname()}-{os.getpid()}.part")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
