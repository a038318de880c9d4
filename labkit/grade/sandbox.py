"""What keeps one submission apart from the machine, and from every other submission.

Namespaces (as root, or where the system lets anyone make them) take away the network, the sight of
other processes and whatever outlives the submission; Landlock takes away files; resource limits
bound the rest. Each is used wherever it is to be had, and `Means` says which of them were.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

MIB = 1024 * 1024

# From Linux's sched.h, mount.h, prctl.h, capability.h and if.h.
CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_NOSUID, MS_NODEV, MS_REC, MS_PRIVATE = 0x2, 0x4, 0x4000, 0x40000
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_KEEPCAPS = 1, 4, 8
PR_CAPBSET_DROP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 24, 36, 38
CAPABILITY_VERSION, CAP_SETUID, LAST_CAPABILITY = 0x20080522, 7, 63
SIOCSIFFLAGS, IFF_UP, IFF_LOOPBACK, IFF_RUNNING = 0x8914, 0x1, 0x8, 0x40

NAMESPACES = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET

FIRST_UID = 700_000_000
"""Each submission runs as a user of its own from here on, so that its processes can be counted."""

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32", "/opt", "/nix/store", "/proc")
ETC = (
    "alternatives", "fonts", "group", "hosts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d",
    "localtime", "mime.types", "nsswitch.conf", "passwd", "ssl/certs", "timezone",
)  # fmt: skip
DEVICES = ("null", "zero", "full", "random", "urandom")


@dataclass(frozen=True)
class Limits:
    """What one submission may use.

    Attributes:
        cell: Real seconds that one cell may take.
        run: Real seconds that one run of a learner's function may take.
        exercise: Real seconds that the check of one exercise may take.
        notebook: Real seconds that a notebook may take in all.
        processor: Processor seconds of one process.
        memory: Bytes that one process may add to what the interpreter has.
        processes: Processes and threads at one time.
        file: Bytes of one file.
        disk: Bytes of all its files, where it has a file system of its own.
        files: Open files of one process.
        message: Bytes that it may send in the course of one cell or one exercise.
    """

    cell: float = 20.0
    run: float = 5.0
    exercise: float = 60.0
    notebook: float = 180.0
    processor: int = 150
    memory: int = 512 * MIB
    processes: int = 64
    file: int = 32 * MIB
    disk: int = 64 * MIB
    files: int = 256
    message: int = 32 * MIB

    def as_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Means:
    """Which means of isolation are active.

    Attributes:
        network: Whether the network is out of reach.
        processes: Whether other processes are out of sight, and what is left is killed for sure.
        files: Whether all but its own files and the installed software is out of reach.
        user: Whether it runs as a user of its own, so that its processes are counted.
        userns: Whether the namespaces need a user namespace (the grader is not root).
    """

    network: bool = False
    processes: bool = False
    files: bool = False
    user: bool = False
    userns: bool = False

    def told(self) -> dict[str, bool]:
        """What the report says of it."""
        limits = sys.platform != "win32"
        return {
            "no network": self.network,
            "no other processes": self.processes,
            "no files of others": self.files,
            "processes counted": self.user,
            "resource limits": limits,
        }


@cache
def _libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def _call(name: str, *args: Any) -> int:
    result: int = getattr(_libc(), name)(*args)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result


def prctl(option: int, value: int = 0) -> None:
    """Set one of the things that Linux lets a process set about itself.

    Raises:
        OSError: When the system refuses.
    """
    _call("prctl", option, ctypes.c_ulong(value), 0, 0, 0)


def hide_memory() -> None:
    """Keep other processes of this user from reading this one's memory: it holds the inputs."""
    with contextlib.suppress(OSError, AttributeError):
        prctl(PR_SET_DUMPABLE, 0)


def die_with_parent() -> None:
    """Have this process killed when its parent ends."""
    with contextlib.suppress(OSError, AttributeError):
        prctl(PR_SET_PDEATHSIG, 9)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends."""
    with contextlib.suppress(OSError, AttributeError):
        prctl(PR_SET_CHILD_SUBREAPER, 1)


def probe(wanted: Sequence[str] = ("namespaces", "landlock")) -> Means:
    """Find out by trying, each in a child of its own, which means this system offers.

    Args:
        wanted: What may be used.
    """
    if sys.platform != "linux":
        return Means()
    root = os.geteuid() == 0
    userns = not root
    spaces = "namespaces" in wanted and _works(lambda: _unshare(userns=userns))
    files = "landlock" in wanted and _landlock_abi() > 0
    # A user of its own has to be able to read what the interpreter still loads.
    user = root and (files or all(_open_to_all(path) for path in software()))
    closed = spaces or ("landlock" in wanted and _landlock_abi() >= 4)
    return Means(network=closed, processes=spaces, files=files, user=user or spaces, userns=userns)


def _works(action: Callable[[], object]) -> bool:
    child = os.fork()
    if child == 0:
        try:
            action()
            os._exit(0)
        except BaseException:
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0


def _landlock_abi() -> int:
    try:
        import landlockpy
    except ImportError:
        return 0
    return landlockpy.abi_version()


def _open_to_all(path: str) -> bool:
    folders = [Path(path), *Path(path).parents]
    return all(not folder.exists() or folder.stat().st_mode & 0o5 == 0o5 for folder in folders)


def software() -> list[str]:
    """The folders that hold the interpreter, the standard library and what is installed."""
    package = str(Path(__file__).resolve().parents[1])
    paths = [sys.prefix, sys.base_prefix, sys.exec_prefix, package]
    paths += [path for path in sys.path if path and not path.endswith(".zip")]
    # The folder of a checkout is on the path where labkit is installed from it; it may hold more
    # than labkit, and submissions too.
    checkout = str(Path(package).parent)
    return sorted({path for path in paths if Path(path).exists() and path != checkout})


# The steps that a submission's process takes, in this order


def enter_namespaces(means: Means) -> None:
    """Leave the machine's namespaces; the next child is the first process of a new world."""
    if means.processes:
        _unshare(userns=means.userns)


def _unshare(*, userns: bool) -> None:
    uid, gid = os.getuid(), os.getgid()
    _call("unshare", NAMESPACES | (CLONE_NEWUSER if userns else 0))
    if userns:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")


def furnish(means: Means, folder: str, limits: Limits) -> None:
    """Give the new world a loopback device, a view of its own processes and empty folders."""
    if not means.processes:
        return
    _loopback_up()
    _mount(None, "/", None, MS_REC | MS_PRIVATE)
    with contextlib.suppress(OSError):  # a container may forbid it; then there is no /proc to see
        _mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV)
    room = f"size={limits.disk},nr_inodes=10000,mode=1777"
    needed = software()
    for empty in ("/run", "/tmp", "/dev/shm"):  # hidden, not used
        if Path(empty).is_dir() and not any(_within(path, empty) for path in needed):
            _mount("tmpfs", str(Path(empty).resolve()), "tmpfs", MS_NOSUID | MS_NODEV, room)
    Path(folder).mkdir(parents=True, exist_ok=True)
    if not _within(folder, "/tmp") or any(_within(path, "/tmp") for path in needed):
        _mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV, room)


def _within(path: str, folder: str) -> bool:
    return Path(path).resolve().is_relative_to(Path(folder).resolve())


def _mount(
    source: str | None, target: str, kind: str | None, flags: int, data: str | None = None
) -> None:
    def text(value: str | None) -> bytes | None:
        return None if value is None else value.encode()

    _call("mount", text(source), text(target), text(kind), ctypes.c_ulong(flags), text(data))


def _loopback_up() -> None:
    import fcntl

    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
        flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING
        fcntl.ioctl(device, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags))


def limit(limits: Limits, *, counted: bool) -> None:
    """Set the resource limits of this process and of all it starts.

    Args:
        limits: How much.
        counted: Whether this user's processes are those of the submission alone.
    """
    import resource  # there is none on Windows

    used = _address_space()
    wanted = {
        resource.RLIMIT_CPU: limits.processor,
        resource.RLIMIT_FSIZE: limits.file,
        resource.RLIMIT_NOFILE: limits.files,
        resource.RLIMIT_CORE: 0,
    }
    if used is not None:
        wanted[resource.RLIMIT_AS] = used + limits.memory
    if counted:
        wanted[resource.RLIMIT_NPROC] = limits.processes
    elif sys.platform == "linux" and os.getuid():
        # Whatever else this user runs counts too.
        wanted[resource.RLIMIT_NPROC] = _running() + limits.processes
    for what, value in wanted.items():
        hard = resource.getrlimit(what)[1]
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(what, (bound, bound))


def limit_memory(size: int) -> None:
    """Bound what this process may add to the memory it has.

    Args:
        size: How much, in bytes.
    """
    import resource

    used = _address_space()
    if used is not None:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_AS, (used + size, used + size))


def _address_space() -> int | None:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGESIZE")


def _running() -> int:
    """How many processes and threads this user has."""
    count = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if entry.stat().st_uid == os.getuid():
                    count += len(list((entry / "task").iterdir()))
    return count


def lock_files(means: Means, folder: str) -> None:
    """Leave nothing to read but the installed software, and nothing to write but the folder."""
    if not means.files:
        return
    import landlockpy
    from landlockpy import AccessFS, AccessNet, Ruleset, Scope

    look = AccessFS.READ_FILE | AccessFS.READ_DIR | AccessFS.EXECUTE
    every = landlockpy.fs_for_abi(landlockpy.abi_version())
    # In a network of its own a submission may use loopback, as Dask does.
    net = AccessNet.NONE if means.processes else None
    with Ruleset(handled_net=net, scoped=Scope.SIGNAL | Scope.ABSTRACT_UNIX_SOCKET) as rules:
        # Only a /proc of its own shows nothing of others.
        system = [path for path in SYSTEM if path != "/proc" or means.processes]
        etc = [f"/etc/{name}" for name in ETC]
        for path in {*system, *etc, *software()}:
            with contextlib.suppress(OSError):
                rules.allow_path(path, look if Path(path).is_dir() else look & ~AccessFS.READ_DIR)
        for name in DEVICES:
            with contextlib.suppress(OSError):
                rules.allow_path(f"/dev/{name}", AccessFS.READ_FILE | AccessFS.WRITE_FILE)
        rules.allow_path(folder, every)
        if means.processes:
            with contextlib.suppress(OSError):
                rules.allow_path("/dev/shm", every)  # its own
        rules.restrict()


def drop_privileges(means: Means, number: int, folder: str) -> None:
    """Become a user of its own, for good.

    Args:
        means: What is active.
        number: Tells this submission's user apart from others.
        folder: What this user shall own.
    """
    root = os.geteuid() == 0 and not means.userns
    if root:
        for capability in range(LAST_CAPABILITY + 1):
            with contextlib.suppress(OSError):
                prctl(PR_CAPBSET_DROP, capability)
    if root and means.user:
        uid = FIRST_UID + number % 1_000_000
        readable = all(_open_to_all(path) for path in software())
        if readable:
            os.chown(folder, uid, uid)
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        prctl(PR_SET_KEEPCAPS, 1)
        os.setresuid(uid, uid, uid)
        if not readable:
            # Python is installed where only root can read. Files are opened as root, without any
            # of root's powers, and Landlock says which.
            _set_capabilities(1 << CAP_SETUID)
            _libc().setfsuid(0)
            _libc().setfsgid(0)
    if sys.platform == "linux":
        _set_capabilities(0)
        prctl(PR_SET_NO_NEW_PRIVS, 1)
        prctl(PR_SET_DUMPABLE, 1)


def _set_capabilities(mask: int) -> None:
    header = struct.pack("Ii", CAPABILITY_VERSION, 0)
    low, high = mask & 0xFFFFFFFF, mask >> 32
    _call("capset", header, struct.pack("6I", low, low, 0, high, high, 0))


def descendants(of: int) -> Iterator[int]:
    """Every process below one, by what /proc says at this moment."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                children.setdefault(int(fields[1]), []).append(int(entry.name))
    todo = list(children.get(of, []))
    while todo:
        pid = todo.pop()
        yield pid
        todo += children.get(pid, [])
