"""A strongSwan of our own: charon with its user-space ESP in one namespace, steered by swanctl.

Its kernel-libipsec has habits that the tests must know:
- it always asks for UDP encapsulation, by claiming a NAT that is not there;
- it routes what its policies protect into the device `ipsec0`, in the routing table 220.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from isthmus.lab.namespaces import Namespace

_CHARON = Path("/usr/lib/ipsec/charon")
_PLUGINS = (
    "random nonce aes des sha1 sha2 md5 hmac xcbc cmac kdf gcm ccm chapoly ctr gmp curve25519 openssl "
    "pem pkcs1 pkcs8 x509 pubkey constraints kernel-libipsec kernel-netlink socket-default vici"
)
_SETTINGS = """
charon {{
  load = {plugins}
  load_modular = no
  install_virtual_ip = no
  i_dont_care_about_security_and_use_aggressive_mode_psk = yes
  retransmit_tries = 4
  retransmit_timeout = 1.0
  retransmit_base = 1.4
  {more}
  plugins {{
    vici {{ socket = unix://{socket} }}
  }}
  filelog {{
    all {{
      path = {log}
      time_format = %T
      default = 1
      ike = {detail}
      cfg = {detail}
      knl = {detail}
      flush_line = yes
    }}
  }}
}}
swanctl {{
  load = random pem pkcs1 pkcs8 x509 openssl
}}
"""


def missing() -> str | None:
    """Why no strongSwan can be run here; None: it can."""
    if os.geteuid() != 0:
        return "needs root"
    for what in ("/usr/lib/ipsec/plugins/libstrongswan-kernel-libipsec.so", "/dev/net/tun", str(_CHARON)):
        if not Path(what).exists():
            return f"needs {what} (Debian: libcharon-extra-plugins, strongswan-charon)"
    return None if shutil.which("swanctl") else "needs swanctl (Debian: strongswan-swanctl)"


@dataclass(frozen=True)
class Child:
    """One child section of swanctl.conf."""

    name: str
    local_ts: str
    remote_ts: str
    esp_proposals: str
    """Empty: `settings` has others."""
    settings: str = ""


@dataclass(frozen=True)
class Connection:
    """One connection section of swanctl.conf, with a pre-shared key."""

    name: str
    local: str
    remote: str
    local_id: str
    remote_id: str
    key: str
    proposals: str
    children: tuple[Child, ...]
    settings: str = ""
    version: int = 2


class Strongswan:
    """One charon process; `home` holds its configuration, log, sockets and nothing else.

    `settings` are further lines of the section `charon` of strongswan.conf; `detail` is how much it logs.
    """

    def __init__(
        self, where: Namespace, home: Path, settings: str = "", plugins: str = _PLUGINS, detail: int = 2
    ) -> None:
        self._where = where
        self._home = home
        home.mkdir(parents=True, exist_ok=True)
        (home / "run").mkdir(exist_ok=True)
        self._socket = home / "charon.vici"
        self.log = home / "charon.log"
        self._environment = {"STRONGSWAN_CONF": str(home / "strongswan.conf"), "SWANCTL_DIR": str(home)}
        (home / "strongswan.conf").write_text(
            _SETTINGS.format(plugins=plugins, socket=self._socket, log=self.log, more=settings, detail=detail)
        )
        # charon's lock file has a fixed place: a private /run lets several of them live side by side.
        self._process = where.start(
            ["unshare", "--mount", "sh", "-c", f"mount --bind {home / 'run'} /run && exec {_CHARON}"],
            environment=self._environment,
            output=(home / "charon.out").open("wb"),
        )
        _until(self._socket.exists, "charon has opened its socket", self.log)

    @property
    def pid(self) -> int:
        return self._process.pid

    def load(self, *connections: Connection) -> None:
        """Replaces the configuration."""
        (self._home / "swanctl.conf").write_text(
            "connections {\n" + "".join(map(_connection, connections)) + "}\n"
            "secrets {\n" + "".join(map(_secret, connections)) + "}\n"
        )
        self._swanctl("--load-all", "--file", self._home / "swanctl.conf")

    def initiate(self, child: str) -> None:
        self._swanctl("--initiate", "--child", child, "--timeout", "20")

    def initiate_all(self, children: Iterable[str]) -> None:
        """Begins them one after another, and waits for none."""
        for child in children:
            self._swanctl("--initiate", "--child", child, "--timeout", "-1")

    def terminate(self, *, ike: str | None = None, child: str | None = None) -> None:
        what = ["--ike", ike] if ike else ["--child", str(child)]
        self._swanctl("--terminate", *what, "--timeout", "20")

    def rekey(self, *, ike: str | None = None, child: str | None = None) -> None:
        what = ["--ike", ike] if ike else ["--child", str(child)]
        self._swanctl("--rekey", *what)

    def reauthenticate(self, ike: str) -> None:
        self._swanctl("--rekey", "--ike", ike, "--reauth")

    def ike_sas(self) -> list[dict[str, object]]:
        """Every IKE SA with its Child SAs under `child-sas`, as vici tells them."""
        return [dict(_named(event)) for event in _parse(self._swanctl("--list-sas", "--raw"))]

    def child_sas(self, state: str = "INSTALLED") -> list[dict[str, str]]:
        """The Child SAs in a state."""
        found = []
        for sa in self.ike_sas():
            children = sa.get("child-sas")
            if isinstance(children, dict):
                found += [child for child in children.values() if child.get("state") == state]
        return found

    def await_routes(self, count: int = 1) -> None:
        """Until it sends what so many children are for: its routes, in a table of their own, come after its SAs."""
        _until(lambda: len(self._routes()) >= count, f"charon has {count} routes", self.log)

    def _routes(self) -> list[str]:
        families = ("-4", "-6")
        return [
            line
            for f in families
            for line in self._where.run("ip", f, "route", "show", "table", "220").stdout.splitlines()
        ]

    def stop(self) -> None:
        """SIGTERM: charon deletes its SAs at the peer and goes."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """SIGKILL: the peer learns nothing."""
        self._process.kill()
        self._process.wait(10)

    def _swanctl(self, *arguments: str | Path) -> str:
        with self._where.inside():
            done = subprocess.run(
                ["swanctl", *map(str, arguments), "--uri", f"unix://{self._socket}"],
                env=os.environ | self._environment,
                capture_output=True,
                text=True,
                timeout=40,
                check=False,
            )
        if done.returncode != 0:
            tail = "\n".join(self.log.read_text().splitlines()[-40:])
            raise AssertionError(f"swanctl {arguments[0]}: {done.stdout}{done.stderr}\n{tail}")
        return done.stdout


def _connection(c: Connection) -> str:
    children = "".join(
        f"{child.name} {{\n"
        f"local_ts = {child.local_ts}\nremote_ts = {child.remote_ts}\n"
        + (f"esp_proposals = {child.esp_proposals}\n" if child.esp_proposals else "")
        + f"mode = tunnel\nrekey_time = 1h\n{child.settings}\n}}\n"
        for child in c.children
    )
    return (
        textwrap.dedent(
            f"""
        {c.name} {{
        version = {c.version}
        local_addrs = {c.local}
        remote_addrs = {c.remote}
        proposals = {c.proposals}
        rekey_time = 4h
        {c.settings}
        local {{
        auth = psk
        id = {c.local_id}
        }}
        remote {{
        auth = psk
        id = {c.remote_id}
        }}
        children {{
        """
        )
        + children
        + "}\n}\n"
    )


def _secret(c: Connection) -> str:
    return f'ike-{c.name} {{\nid-1 = {c.local_id}\nid-2 = {c.remote_id}\nsecret = "{c.key}"\n}}\n'


def _parse(text: str) -> list[dict[str, object]]:
    """The `{key=value section {...} list=[...]}` of `swanctl --raw`, one dictionary for each event line."""
    # Values may hold spaces: one ends where ` name=`, ` name {` or a bracket begins.
    token = re.compile(r"[{}\]]|[\w.:-]+=\[|[\w.:-]+=(?:(?! [\w-]+(?:=| \{))[^{}\[\]])*|[^\s{}\[\]]+")
    events = (line[line.index("{") + 1 :] for line in text.splitlines() if "event {" in line)
    return [_section(iter(token.findall(event))) for event in events]


def _section(tokens: Iterator[str]) -> dict[str, object]:
    found: dict[str, object] = {}
    for token in tokens:
        if token == "}":
            break
        if token == "{":
            continue
        if token.endswith("=["):
            found[token[:-2]] = " ".join(itertools.takewhile(lambda value: value != "]", tokens))
        elif "=" in token:
            key, _, value = token.partition("=")
            found[key] = value.strip()
        else:
            found[token] = _section(tokens)
    return found


def _named(event: dict[str, object]) -> dict[str, object]:
    """An event holds one section, named after the connection."""
    for name, section in event.items():
        if isinstance(section, dict):
            return {"name": name, **section}
    return event


def _until(true: Callable[[], bool], what: str, log: Path, limit: float = 15.0) -> None:
    end = time.monotonic() + limit
    while not true():
        if time.monotonic() > end:
            raise AssertionError(f"not in {limit:.0f} s: {what}\n{log.read_text() if log.exists() else ''}")
        time.sleep(0.05)
