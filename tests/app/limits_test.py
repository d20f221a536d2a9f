# SPDX-License-Identifier: Apache-2.0
"""Too little memory, too few open files or threads: one message that names the limit, exit code 71, no output, no hang."""
import os
import shutil
import subprocess
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor

import h5py
from app_case import APP, ERROR, OK, OUT_OF_MEMORY, AppCase

SHIM = os.environ["PARCONV_FAILING_CALLS"]
MIB = 1 << 20


class LimitsCase(AppCase):
    """The input "large.h5" needs gigabytes of activations, and is small on disk."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with h5py.File(cls.path("large.h5"), "w") as file:
            file.create_dataset("x", (8, 3, 4000, 4000), "f4", chunks=(1, 3, 400, 400))

    def run_large(self, ranks, output):
        arguments = ["run", "small.onnx", "large.h5", output, "--batch", 8, "--threads", 1, "--split", f"h={max(1, ranks)}"]
        return self.start(ranks, *arguments)

    def shell(self, commands):
        """Runs commands of the shell before parconv_app, on every rank."""
        self.program = ["bash", "-c", f'{commands}; exec "$@"', "--", APP]

    def preload(self, **settings):
        """Loads the library of failing calls into parconv_app, not into the launcher."""
        self.program = ["env", f"LD_PRELOAD={SHIM}", *(f"{name}={value}" for name, value in settings.items()), APP]

    def expect_refused(self, done, output):
        text = f"{done.stdout}\n{done.stderr}"
        self.assertEqual(done.returncode, OUT_OF_MEMORY, text)
        self.assertEqual(text.count(ERROR), 1, text)
        self.assertEqual(self.leftovers(output), [], text)
        return text

    def expect_right_or_refused(self, done, output):
        """True if the run has met the limit."""
        if done.returncode == OK:
            self.assertTrue((self.result(output) == self.result("right.h5")).all())
            return False
        self.expect_refused(done, output)
        return True


class MemoryLimits(LimitsCase):
    def test_ulimits_are_compared_before_the_output_is_created(self):
        for limit in ("v", "d"):
            self.shell(f"ulimit -{limit} 2000000")
            for ranks in (0, 2):
                text = self.expect_refused(self.run_large(ranks, "u.h5"), "u.h5")
                self.assertIn(f"ulimit -{limit} leaves", text)
                self.assertRegex(text, r"rank 0 needs at least [0-9.]+ [MG]iB more than the [0-9.]+ MiB held now \(buffers [0-9.]+ GiB")
                self.assertIn("while checking the programs", text)
                self.assertIn("hint: Use more hosts, a smaller --batch", text)

    def test_a_limit_that_suffices_is_no_reason(self):
        self.shell("ulimit -v 4000000")
        self.run_small(2, "enough.h5", "--split", "h=2", "--verify")

    # ---- Control groups, as the program sees them: in a mount namespace with other files ----

    @classmethod
    def groups(cls, files):
        """A tree of control groups of both versions, with `files` in those of this process."""
        root = tempfile.mkdtemp(dir=cls.folder)
        with open("/proc/self/cgroup", encoding="ascii") as memberships:
            lines = [line.rstrip("\n").split(":", 2) for line in memberships]
        for _, controllers, path in lines:
            names = [name for name in controllers.split(",") if name in ("memory", "pids")] or ([] if controllers else ["", "unified"])
            for name in names:
                folder = os.path.join(root, name, path.lstrip("/"))
                os.makedirs(folder, exist_ok=True)
                for file, text in files.items():
                    with open(os.path.join(folder, file), "w", encoding="ascii") as target:
                        target.write(text)
        return root

    def in_groups(self, files):
        shared = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
        root = self.groups(files)
        trial = [*shared, "bash", "-c", f"mount --bind {root} /sys/fs/cgroup"]
        if shutil.which("unshare") is None or subprocess.run(trial, capture_output=True, check=False).returncode != 0:
            self.skipTest("this user cannot make a mount namespace")
        self.program = [*shared, "bash", "-c", f'mount --bind {root} /sys/fs/cgroup; exec "$@"', "--", APP]

    @staticmethod
    def files_of(limit, used, cache):
        return {
            "memory.max": limit,
            "memory.current": used,
            "memory.stat": f"inactive_file {cache}\nactive_file 0\ntotal_inactive_file {cache}\ntotal_active_file 0\n",
            "memory.swap.max": "0",
            "memory.limit_in_bytes": limit if limit != "max" else "9223372036854771712",
            "memory.usage_in_bytes": used,
            "memory.memsw.limit_in_bytes": limit if limit != "max" else "9223372036854771712",
        }

    def test_a_control_group_is_shared_by_the_ranks_in_it(self):
        self.in_groups(self.files_of(str(900 * MIB), str(700 * MIB), str(100 * MIB)))
        text = self.expect_refused(self.run_large(2, "g.h5"), "g.h5")
        self.assertRegex(text, r"ranks 0-1 need at least [0-9.]+ GiB more .* the cgroup /sys/fs/cgroup\S* leaves 300 MiB of 900 MiB")

    def test_a_control_group_with_room_in_its_page_cache(self):
        self.in_groups(self.files_of(str(900 * MIB), str(900 * MIB), str(600 * MIB)))
        self.run_small(2, "cache.h5", "--split", "h=2")

    def test_a_control_group_without_a_limit(self):
        self.in_groups(self.files_of("max", str(900 * MIB), "0"))
        self.run_small(2, "max.h5", "--split", "h=2")

    def test_a_real_control_group(self):
        """PARCONV_TEST_CGROUP names a folder of a memory controller in which this user may make groups."""
        parent = os.environ.get("PARCONV_TEST_CGROUP")
        if not parent:
            self.skipTest("PARCONV_TEST_CGROUP is not set")
        group = tempfile.mkdtemp(prefix="parconv-", dir=parent)
        try:
            is_second = os.path.exists(os.path.join(group, "memory.max"))
            with open(os.path.join(group, "memory.max" if is_second else "memory.limit_in_bytes"), "w", encoding="ascii") as limit:
                limit.write(str(800 * MIB))
            self.shell(f"echo $$ > {group}/cgroup.procs")
            text = self.expect_refused(self.run_large(2, "real.h5"), "real.h5")
            self.assertIn(f"the cgroup {group} leaves", text)
            self.run_small(2, "fits.h5", "--split", "h=2")
        finally:
            os.rmdir(group)


class FailingAllocations(LimitsCase):
    """Each run has one allocation of C++ that fails, on one rank, or 50 of them: also those of the message."""

    ranks, points = 2, 12
    arguments = ("run", "small.onnx", "in.h5")
    options = ("--split", "n=2", "--batch", 2, "--threads", 2, "--timeout", 20)

    def count(self):
        self.preload(COUNT_CALLS=self.path("counts"))
        self.expect(OK, self.ranks, *self.arguments, "right.h5", *self.options)
        with open(self.path("counts"), encoding="ascii") as file:
            return min(int(line.split()[0]) for line in file)

    def fail_at(self, number):
        rank, length = number % self.ranks, 50 if number % 3 == 0 else 1
        output = f"a{number}.h5"
        program = ["env", f"LD_PRELOAD={SHIM}", f"FAILING_RANK={rank}", f"FAILING_ALLOCATIONS={number},{length}", APP]
        command = [*self.launcher(self.ranks), *program, *map(str, (*self.arguments, output, *self.options))]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=120, check=False)
        with self.subTest(rank=rank, allocation=number, length=length):
            return self.expect_right_or_kept(done, output)
        return False

    def expect_right_or_kept(self, done, output):
        """Where all samples are on disk, they are kept for --resume."""
        if "kept: " not in done.stderr:
            return self.expect_right_or_refused(done, output)
        self.assertEqual(done.returncode, OUT_OF_MEMORY, done.stderr)
        self.assertEqual(done.stderr.count(ERROR), 1, done.stderr)
        self.assertNotIn(output, self.leftovers(output))
        return True

    def sweep(self, points):
        total = self.count()
        numbers = sorted({k * total // points + k % 7 for k in range(points)})
        with ThreadPoolExecutor(2) as pool:
            met = list(pool.map(self.fail_at, numbers))
        self.assertGreater(sum(met), points // 2, "most allocations are needed")

    def test_over_the_run(self):
        self.sweep(self.points)


class ManyFailingAllocations(FailingAllocations):
    points = 300


class ThreadLimits(LimitsCase):
    def test_a_thread_that_cannot_be_started(self):
        self.run_small(2, "right.h5", "--force", "--split", "n=2", "--threads", 3)
        met = 0
        for number in range(12):
            self.preload(FAILING_RANK=1, FAILING_THREADS=number)
            output = f"t{number}.h5"
            done = self.start(2, "run", "small.onnx", "in.h5", output, "--split", "n=2", "--threads", 3, "--timeout", 20)
            with self.subTest(thread=number):
                if self.expect_right_or_refused(done, output):
                    met += 1
                    self.assertIn("ulimit -u is ", done.stderr)
        self.assertGreater(met, 3)

    def test_more_threads_than_the_address_space_holds(self):
        self.shell("ulimit -v 4000000")
        done = self.start(0, "run", "small.onnx", "in.h5", "many.h5", "--threads", 2000)
        self.assertIn("cannot start 1999 threads", self.expect_refused(done, "many.h5"))


class FileLimits(LimitsCase):
    def test_open_files(self):
        self.run_small(2, "right.h5", "--force", "--split", "n=2")
        names = 0
        for limit in (*range(14, 34, 2), 40):
            self.shell(f"ulimit -n {limit}")
            output = f"f{limit}.h5"
            done = self.start(2, "run", "small.onnx", "in.h5", output, "--split", "n=2", "--timeout", 20)
            with self.subTest(limit=limit):
                if self.expect_right_or_refused(done, output):
                    names += f"the process may have {limit} files open (ulimit -n)" in done.stderr
        self.assertGreater(names, 0)

    def test_a_small_stack(self):
        self.run_small(2, "right.h5", "--force", "--split", "n=2", "--threads", 2)
        for kib in (128, 512):
            self.shell(f"ulimit -s {kib}")
            done = self.start(2, "run", "small.onnx", "in.h5", f"s{kib}.h5", "--split", "n=2", "--threads", 2)
            self.assertFalse(self.expect_right_or_refused(done, f"s{kib}.h5"))


if __name__ == "__main__":
    unittest.main()
