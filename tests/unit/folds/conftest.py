"""A builder and its helper in the working directory, whose sources are part of keys."""

import importlib

import pytest

MODEL = "from my_parts import units\ndef build():\n    from sklearn.svm import SVC\n"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Return a function that writes a module into the working directory."""
    monkeypatch.chdir(tmp_path)

    def write(name, text):
        (tmp_path / f"{name}.py").write_text(text)
        importlib.invalidate_caches()

    write("my_model", MODEL)
    write("my_parts", "units = 8\n")
    return write
