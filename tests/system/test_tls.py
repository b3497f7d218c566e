"""A Prefect API behind TLS, with a certificate of one's own authority."""

import shutil
import socket
import ssl
import subprocess
import threading
from urllib.parse import urlsplit

import pytest
from prefect.settings import (
    PREFECT_API_SSL_CERT_FILE,
    PREFECT_API_TLS_INSECURE_SKIP_VERIFY,
    temporary_settings,
)

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.prefect_server.api_watch import ApiWatch, answers, tls_settings, unreachable
from tests.support.command import cv, report_of

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A folder with an authority's ca.pem, and a server's server.pem that it signed."""
    folder = tmp_path_factory.mktemp("authority")

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "rsa:2048", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Ward 7 CA")
    openssl("req", *key, "-keyout", "server.key", "-out", "request", "-subj", "/CN=localhost")
    (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names")
    openssl("x509", "-req", "-in", "request", *signed, "-out", "server.crt")
    both = (folder / "server.crt").read_text() + (folder / "server.key").read_text()
    (folder / "server.pem").write_text(both)
    return folder


@pytest.fixture
def secure(prefect_api, authority):
    """The address of the Prefect API behind TLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority / "server.pem")
    behind = urlsplit(prefect_api)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:  # the test is over
                return
            threading.Thread(target=talk, args=(plain,), daemon=True).start()

    def talk(plain):
        try:
            near = context.wrap_socket(plain, server_side=True)
        except OSError:  # a client that does not trust us
            plain.close()
            return
        far = socket.create_connection((behind.hostname, behind.port))
        threading.Thread(target=pass_on, args=(far, near), daemon=True).start()
        pass_on(near, far)

    def pass_on(source, target):
        try:
            while block := source.recv(1 << 16):
                target.sendall(block)
        except OSError:
            pass
        finally:
            for each in (source, target):
                each.close()

    threading.Thread(target=serve, daemon=True).start()
    yield f"https://localhost:{listener.getsockname()[1]}/api"
    listener.close()


def test_an_authority_of_ones_own_is_trusted(secure, authority):
    with temporary_settings({PREFECT_API_SSL_CERT_FILE: str(authority / "ca.pem")}):
        tls = tls_settings(secure)
    assert answers(secure, tls)
    watch = ApiWatch(secure, tls)
    watch._look()
    assert not watch.is_gone()
    watch.stop()


def test_verification_can_be_left_out(secure):
    with temporary_settings({PREFECT_API_TLS_INSECURE_SKIP_VERIFY: True}):
        assert answers(secure, tls_settings(secure))


def test_a_certificate_that_nobody_vouches_for_is_named(secure):
    assert unreachable(secure, tls_settings(secure)) == (
        "has a certificate that is not trusted (unable to get local issuer certificate); "
        "name the file of its CA in PREFECT_API_SSL_CERT_FILE"
    )


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_file_without_certificates_is_refused_in_one_line(tmp_path, content):
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with (
        temporary_settings({PREFECT_API_SSL_CERT_FILE: str(file)}),
        pytest.raises(InputError) as refused,
    ):
        tls_settings("https://localhost/api")
    line, end = str(refused.value), "; name a file in PEM format"
    start = f"PREFECT_API_SSL_CERT_FILE: '{file}' holds no certificates that can be read ("
    assert line.startswith(start)
    assert line.endswith(end)
    if content is None:
        assert line == f"{start}No such file or directory){end}"


def test_without_tls_nothing_is_read():
    assert tls_settings("http://localhost:4200/api") is None


@pytest.mark.long
def test_a_run_on_such_a_server_goes_through(secure, authority, tmp_path):
    flags = ("--model", "sklearn.linear_model:LogisticRegression", "--split.n_splits", "3")
    trusting = {"PREFECT_API_URL": secure, "PREFECT_API_SSL_CERT_FILE": str(authority / "ca.pem")}
    assert report_of(cv(*flags, folder=tmp_path, **trusting)).is_dir()
    ended = cv(*flags, folder=tmp_path, PREFECT_API_URL=secure)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        f"PREFECT_API_URL: {secure} has a certificate that is not trusted (unable to get local "
        "issuer certificate); name the file of its CA in PREFECT_API_SSL_CERT_FILE\n"
    )
