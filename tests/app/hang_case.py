# SPDX-License-Identifier: Apache-2.0
"""Jobs in which one rank is stopped, hangs or dies, and their one message."""
import os
import re
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from app_case import ERROR, MPIEXEC, AppCase

NAMED = re.compile(r"error: (?:no progress for [\d.]+ s: )?rank (\d+) .*\n  where: rank (\d+) on \S+, while (.*)")


def environment_of(pid):
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            pairs = (entry.partition(b"=") for entry in file.read().split(b"\0"))
            return {key.decode(): value.decode() for key, _, value in pairs}
    except OSError:
        return {}


def runs(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


class Job:
    """A running job whose ranks can be sent signals."""

    def __init__(self, case, ranks, *arguments, **environment):
        command = [MPIEXEC, "-np", str(ranks), *case.program, *map(str, arguments)]
        self.ranks = ranks
        self.begin = time.monotonic()
        self.launcher = subprocess.Popen(command, cwd=case.folder, env={**os.environ, **environment}, stdout=subprocess.PIPE,
                                         stderr=subprocess.STDOUT, text=True)

    def pids(self):
        """Process ids by rank, of the ranks that run."""
        done = subprocess.run(["pgrep", "-P", str(self.launcher.pid)], capture_output=True, text=True, check=False)
        pids = {}
        for pid in map(int, done.stdout.split()):
            rank = environment_of(pid).get("OMPI_COMM_WORLD_RANK")
            if rank is not None:
                pids[int(rank)] = pid
        return pids

    def wait_for_ranks(self, seconds=30):
        while time.monotonic() < self.begin + seconds and self.launcher.poll() is None:
            pids = self.pids()
            if len(pids) == self.ranks:
                return pids
            time.sleep(0.01)
        raise AssertionError(f"the ranks did not start: {self.end(0)}")

    def wait_for(self, holds, seconds=20):
        while time.monotonic() < self.begin + seconds and self.launcher.poll() is None:
            if holds():
                return
            time.sleep(0.01)
        raise AssertionError(f"the job has ended too early: {self.end()}")

    def signal(self, number, pids):
        try:
            for pid in pids.values():
                os.kill(pid, number)
        except ProcessLookupError as error:
            raise AssertionError(f"the job has ended too early: {self.end()}") from error

    def end(self, seconds=60):
        """Exit code and output. After `seconds` everything is killed; None is then the code, and False that of a launcher that hung
        after its ranks had ended."""
        pids = self.pids()
        try:
            output, _ = self.launcher.communicate(timeout=seconds)
            return self.launcher.returncode, output
        except subprocess.TimeoutExpired:
            code = None if any(map(runs, pids.values())) else False
            for pid in filter(runs, pids.values()):
                os.kill(pid, signal.SIGKILL)
            self.launcher.kill()
            output, _ = self.launcher.communicate()
            return code, output


class HangCase(AppCase):
    def in_parallel(self, jobs, work, at_once=3):
        """The ranks mostly wait: several jobs share the cores."""
        with ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(work, jobs))

    def named(self, output):
        """Rank and place of the one message; the rank in its first line and in its second must agree."""
        found = NAMED.search(output)
        if output.count(ERROR) != 1 or not found or found[1] != found[2]:
            return None, output
        return int(found[1]), found[3]
