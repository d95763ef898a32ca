"""A libreswan of our own: pluto with the kernel's ESP in one namespace, its files laid over the system's."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from isthmus.lab.namespaces import Namespace

PACKAGES = Path(__file__).parents[3] / "target" / "peers" / "libreswan"
"""Debian's packages, unpacked: they cannot be installed beside strongSwan."""

_PLUTO = "usr/libexec/ipsec/pluto"


def missing() -> str | None:
    """Why it cannot be run here; None: it can."""
    return None if (PACKAGES / _PLUTO).exists() else "needs libreswan, unpacked (tools/test-packages does it)"


class Libreswan:
    """`ipsec_conf` holds connections; `secret` serves them all."""

    def __init__(self, where: Namespace, ipsec_conf: str, secret: str) -> None:
        self._where = where
        # An overlay cannot lie on another one, as this machine's root is: on memory, then.
        home = Path(tempfile.mkdtemp(prefix="libreswan", dir="/dev/shm"))
        self.root = home / "root"
        for name in ("root", "upper", "work"):
            (home / name).mkdir()
        layers = f"lowerdir=/mnt/ro,upperdir={home / 'upper'},workdir={home / 'work'}"
        _do("mount", "-t", "overlay", "-o", layers, "overlay", self.root)
        _do("cp", "-a", *(PACKAGES / folder for folder in ("etc", "usr", "var")), self.root)
        for kind in ("proc", "sys", "dev"):
            _do("mount", "--bind", f"/{kind}", self.root / kind)
        _do("mount", "-t", "tmpfs", "tmpfs", self.root / "run")
        for folder in ("run/pluto", "var/lib/ipsec/nss"):
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        (self.root / "etc/ipsec.conf").write_text(
            "config setup\n  logfile=/run/pluto/log\n  uniqueids=yes\n  ikev1-policy=accept\n" + ipsec_conf
        )
        secrets = self.root / "etc/ipsec.secrets"
        secrets.write_text(f': PSK "{secret}"\n')
        secrets.chmod(0o600)
        self._in("certutil", "-N", "-d", "sql:/var/lib/ipsec/nss", "--empty-password")
        self._process = where.start(
            ["chroot", self.root, f"/{_PLUTO}", "--config", "/etc/ipsec.conf", "--nofork"],
            output=(home / "out").open("wb"),
        )
        self._until(lambda: (self.root / "run/pluto/pluto.ctl").exists())
        self.whack("--listen")

    @property
    def log(self) -> str:
        path = self.root / "run/pluto/log"
        return path.read_text() if path.exists() else ""

    def load(self, connection: str) -> None:
        self._in("/usr/libexec/ipsec/addconn", "--config", "/etc/ipsec.conf", connection)

    def initiate(self, connection: str) -> str:
        return self.whack("--initiate", "--name", connection)

    def whack(self, *words: str) -> str:
        return self._in("/usr/libexec/ipsec/whack", *words)

    def stop(self) -> None:
        self.whack("--shutdown")
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _in(self, *argv: str) -> str:
        done = self._where.run("chroot", self.root, *argv, timeout=60.0)
        return done.stdout + done.stderr

    def _until(self, true: Callable[[], bool], limit: float = 20.0) -> None:
        end = time.monotonic() + limit
        while not true():
            assert time.monotonic() < end, self.log
            assert self._process.poll() is None, (self.root.parent / "out").read_text()
            time.sleep(0.05)


def _do(*argv: str | Path) -> None:
    subprocess.run([str(word) for word in argv], check=True)
