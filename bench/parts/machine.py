"""What the kernel says: CPU time and memory of processes, and which machine this is."""

import os
import platform
import resource
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def family(pid):
    """A process and its descendants."""
    children = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = stat(int(entry.name))
            if fields:
                children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, queue = [], [pid]
    while queue:
        current = queue.pop()
        found.append(current)
        queue.extend(children.get(current, []))
    return found


def stat(pid):
    """The fields of /proc/PID/stat after the command's name, which may hold spaces; none if it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def cpu_seconds(pids):
    """User and system time of processes so far, ended children included."""
    user = system = 0
    for pid in pids:
        fields = stat(pid)
        if fields:
            user += int(fields[11]) + int(fields[13])
            system += int(fields[12]) + int(fields[14])
    return user / TICKS_PER_S, system / TICKS_PER_S


def rss_mb(pids):
    """Resident memory in MiB. Pages that several of the processes share are counted once for each."""
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
    return total / 1024


def describe():
    """Processor, cores, memory, kernel and system, in one line."""
    cpu = next(
        (line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
         if line.startswith("model name")),
        platform.machine(),
    )
    memory = int(Path("/proc/meminfo").read_text().split()[1]) / 1024 / 1024
    system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    return f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GiB, {system}, Linux {platform.release()}"


def raise_open_files():
    """As many open files as may be: a thousand connections take two thousand, and children inherit it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
