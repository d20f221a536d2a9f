# SPDX-License-Identifier: Apache-2.0
"""A machine of its own on this one: namespaces for its network, processes, mounts and name, which vanish with its first process."""
import os
import subprocess
import time
import uuid

# Own /tmp and /dev/shm, as PMIx and Open MPI name files there by job and user only; what lies below /tmp and is shared stays visible.
# bash as the first process collects the orphans of the machine.
FIRST_PROCESS = """
set -eu
name=$1 own=$2; shift 2
hostname "$name"
ip link set lo up
mount -t tmpfs tmpfs /dev/shm
mount --bind "$own/hosts" /etc/hosts
mount --bind "$own/boot_id" /proc/sys/kernel/random/boot_id
mount -t tmpfs tmpfs "$own/tmp"
chmod 1777 "$own/tmp"
for path; do
  case "$path" in
    /tmp/*) mkdir -p "$own$path"; mount --bind "$path" "$own$path" ;;
  esac
done
mount --rbind "$own/tmp" /tmp
echo ready
sleep infinity & wait
"""


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


class Machine:
    """`shared` are the folders that all machines see. Processes are named by their ids outside of the machine."""

    def __init__(self, name, folder, shared, hosts=""):
        self.name = name
        own = os.path.join(folder, name)
        os.makedirs(os.path.join(own, "tmp"))
        for file_name, text in (("hosts", f"127.0.0.1 localhost\n{hosts}"), ("boot_id", f"{uuid.uuid4()}\n")):
            with open(os.path.join(own, file_name), "w", encoding="utf-8") as file:
                file.write(text)
        # If the test is killed, so is `unshare`, then the first process, and with it all others.
        namespaces = ["--net", "--uts", "--ipc", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        self._holder = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "unshare", *namespaces, "bash", "-c", FIRST_PROCESS, name,
                                         name, own, *shared], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)  # fmt: skip
        self._first = 0
        if self._holder.stdout.readline() != "ready\n":
            self.close()
            raise RuntimeError(f"no namespaces for {name}")
        self._first = int(read(f"/proc/{self._holder.pid}/task/{self._holder.pid}/children"))
        self._namespace = os.readlink(f"/proc/{self._first}/ns/pid")

    @property
    def first_process(self):
        return self._first

    def command(self, *arguments):
        entry = ["nsenter", f"--target={self._first}", "--net", "--uts", "--ipc", "--mount", "--pid", f"--wd={os.getcwd()}"]
        return [*entry, *map(str, arguments)]

    def run(self, *arguments, seconds=60, **options):
        """Runs a command in the machine. After `seconds` it is ended, and the code is 124 or 137."""
        bounded = self.command("timeout", "--kill-after=2", seconds, *arguments)
        return subprocess.run(bounded, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=seconds + 10, check=False, **options)  # fmt: skip

    def start(self, *arguments, **options):
        """Starts a command in the background; it ends with the machine."""
        return subprocess.Popen(self.command(*arguments), stdin=subprocess.DEVNULL, **options)

    def processes(self, name):
        """Ids of the processes of that name."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                is_here = os.readlink(f"/proc/{pid}/ns/pid") == self._namespace
            except OSError:
                continue
            state = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
            if is_here and read(f"/proc/{pid}/comm").strip() == name and state and state[0] not in "ZX":
                found.append(int(pid))
        return sorted(found)

    def close(self):
        """As a power failure: all processes end at once. The second time nothing happens."""
        self._holder.kill()
        self._holder.wait()
        self._holder.stdout.close()
        end = time.monotonic() + 10
        while self._first and os.path.exists(f"/proc/{self._first}") and time.monotonic() < end:
            time.sleep(0.01)
