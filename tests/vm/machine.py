"""A virtual machine for a minute: a kernel with ESP and AH of its own, over the files of this machine.

Its root is this machine's, read-only, with a layer in memory above. It is emulated, and up in ten seconds: KVM is not
to be relied on where this machine is itself a virtual one (`ISTHMUS_VM_ACCELERATOR=kvm` asks for it).
"""

from __future__ import annotations

import lzma
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

BENEATH = Path("/mnt/ro")
"""Where this machine's files are found in there, those in /tmp too."""

_VIRTIOFSD = Path("/usr/lib/qemu/virtiofsd")
_BUSYBOX = Path("/usr/bin/busybox")
_BOOT_MODULES = ("virtio_pci", "virtiofs", "overlay")
_APPLETS = ("sh", "mount", "insmod", "mkdir", "chroot", "poweroff", "sync", "cat", "echo", "umount")
_MEMORY = "1536M"
_BOOTS = 3
"""Emulated processors now and then trip over a kernel that patches its own code while it starts."""
_INIT = """#!/bin/sh
export PATH=/bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
for module in /modules/*; do insmod $module; done
mount -t virtiofs -o ro root /ro; mount -t virtiofs out /out
mount -t tmpfs -o size=1g tmpfs /rw; mkdir /rw/upper /rw/work
mount -t overlay -o lowerdir=/ro,upperdir=/rw/upper,workdir=/rw/work overlay /new
for kind in proc sys dev; do mount -o bind /$kind /new/$kind; done
mkdir -p /new/dev/pts /new/dev/shm /new/mnt/ro /new/mnt/out
mount -t devpts devpts /new/dev/pts
for place in run tmp dev/shm; do mount -t tmpfs tmpfs /new/$place; done
mount -o bind /ro /new/mnt/ro; mount -o bind /out /new/mnt/out
chroot /new /bin/sh /mnt/out/do > /out/said 2>&1; echo $? > /out/status
sync; umount /out; poweroff -f
"""
_MODPROBE = '#!/bin/sh\nexec /bin/chroot /new /sbin/modprobe "$@"\n'
"""The kernel asks for modules in the first root that it knew."""


@dataclass(frozen=True)
class Said:
    """What a command in there said, and its exit status; `log` is the kernel's, where it came to none."""

    status: int | None
    text: str
    log: str
    seconds: float


def missing() -> str | None:
    """Why no machine can be started here; None: one can."""
    if os.geteuid() != 0:
        return "needs root"
    for what in ("qemu-system-x86_64", "modprobe"):
        if shutil.which(what) is None:
            return f"needs {what} (Debian: qemu-system-x86, kmod)"
    for place in (_VIRTIOFSD, _BUSYBOX):
        if not place.exists():
            return f"needs {place} (Debian: qemu-system-common, busybox-static)"
    if _kernel() is None:
        return "needs a kernel in /boot with its modules (Debian: linux-image-cloud-amd64)"
    return None


def run(argv: Sequence[str | Path], out: Path, environment: Mapping[str, str], limit: float) -> Said:
    """Boots, runs a command in there, and waits until it is gone. `out` is /mnt/out in there."""
    version = _kernel()
    if version is None:
        raise RuntimeError("no kernel")
    out.mkdir(parents=True, exist_ok=True)
    variables = "".join(f"export {name}='{value}'\n" for name, value in environment.items())
    path = "export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root\n"
    (out / "do").write_text(path + variables + "exec " + " ".join(f"'{word}'" for word in argv) + "\n")
    began = time.monotonic()
    for _ in range(_BOOTS):
        _boot(version, out, limit)
        if (out / "said").exists():
            break
    texts = {name: (out / name).read_text(errors="replace") for name in ("said", "serial") if (out / name).exists()}
    status = int((out / "status").read_text()) if (out / "status").exists() else None
    return Said(status, texts.get("said", ""), texts.get("serial", ""), time.monotonic() - began)


def _boot(version: str, out: Path, limit: float) -> None:
    with ExitStack() as stack, tempfile.TemporaryDirectory(prefix="isthmus-vm-") as home:
        (Path(home) / "initrd").write_bytes(b"".join(_archive(version)))
        shares = [_share(stack, Path(home), tag, place) for tag, place in (("root", Path("/")), ("out", out))]
        machine = subprocess.Popen(_qemu(version, Path(home), shares, out / "serial"), stdin=subprocess.DEVNULL)
        stack.callback(machine.kill)
        try:
            machine.wait(limit)
        except subprocess.TimeoutExpired:
            machine.kill()
            machine.wait()


def _kernel() -> str | None:
    """The newest that is there with its modules."""
    kernels = sorted(Path("/boot").glob("vmlinuz-*"), key=lambda kernel: kernel.stat().st_mtime)
    versions = [kernel.name.removeprefix("vmlinuz-") for kernel in kernels]
    return next((v for v in reversed(versions) if Path("/lib/modules", v, "modules.dep").exists()), None)


def _qemu(version: str, home: Path, shares: Sequence[tuple[str, Path]], serial: Path) -> list[str]:
    accelerator = os.environ.get("ISTHMUS_VM_ACCELERATOR", "tcg,thread=multi")
    argv = ["qemu-system-x86_64", "-accel", accelerator, "-cpu", "max", "-smp", "2", "-m", _MEMORY]
    argv += ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", f"file:{serial}"]
    argv += ["-object", f"memory-backend-memfd,id=memory,size={_MEMORY},share=on", "-numa", "node,memdev=memory"]
    for tag, socket in shares:
        argv += ["-chardev", f"socket,id={tag},path={socket}"]
        argv += ["-device", f"vhost-user-fs-pci,chardev={tag},tag={tag}"]
    argv += ["-kernel", f"/boot/vmlinuz-{version}", "-initrd", str(home / "initrd")]
    return [*argv, "-append", "console=ttyS0 quiet panic=-1 mitigations=off"]


def _share(stack: ExitStack, home: Path, tag: str, place: Path) -> tuple[str, Path]:
    """A folder of this machine for that one."""
    socket = home / f"{tag}.socket"
    options = f"source={place}", f"cache={'always' if tag == 'root' else 'none'}", "sandbox=chroot"
    words = [word for option in options for word in ("-o", option)]
    server = subprocess.Popen(
        [str(_VIRTIOFSD), f"--socket-path={socket}", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    stack.callback(server.wait)
    stack.callback(server.kill)
    end = time.monotonic() + 10.0
    while not socket.exists() and time.monotonic() < end:
        time.sleep(0.02)
    return tag, socket


def _archive(version: str) -> Iterator[bytes]:
    """The first root: busybox, what mounts the shares, and the script that goes on from there."""
    folders = "bin", "sbin", "modules", "ro", "out", "rw", "new", "proc", "sys", "dev"
    files = {"init": _INIT.encode(), "sbin/modprobe": _MODPROBE.encode(), "bin/busybox": _BUSYBOX.read_bytes()}
    for number, module in enumerate(_modules(version)):
        octets = module.read_bytes()
        files[f"modules/{number:02}"] = lzma.decompress(octets) if module.suffix == ".xz" else octets
    for name in folders:
        yield _entry(name, 0o040755, b"")
    for name, octets in files.items():
        yield _entry(name, 0o100755, octets)
    for applet in _APPLETS:
        yield _entry(f"bin/{applet}", 0o120777, b"busybox")
    yield _entry("TRAILER!!!", 0, b"")


def _modules(version: str) -> list[Path]:
    """In the order in which they depend on each other; what is built in is none."""
    wanted = dict.fromkeys(
        Path(line.split()[1])
        for name in _BOOT_MODULES
        for line in subprocess.run(
            ["modprobe", "-S", version, "--show-depends", name],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        if line.startswith("insmod ")
    )
    return list(wanted)


def _entry(name: str, mode: int, octets: bytes) -> bytes:
    """One file of a cpio archive, in the form `newc`."""
    fields = (0, mode, 0, 0, 1, 0, len(octets), 0, 0, 0, 0, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
    return head + bytes(-len(head) % 4) + octets + bytes(-len(octets) % 4)
