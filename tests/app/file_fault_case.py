# SPDX-License-Identifier: Apache-2.0
"""One fault in one call for a file, injected by a preloaded library, and an independent judgement of what the job made of it."""
import errno
import os
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import h5py
import numpy as np
import tiny_onnx as onnx
from app_case import BAD_DATA, CANNOT_CREATE, COMMUNICATION, ERROR, INPUT_MISSING, IO, MPIEXEC, OK, OUT_OF_MEMORY, AppCase

SHIM = os.environ["PARCONV_FAULTY_FILES"]
RANKS = 2
TIMEOUT = 6
GRACE = 5
SPACE = ("ENOSPC", "EDQUOT", "EFBIG")
HARMLESS = ("short", "slow", "EINTR")
NAMED_RANK = re.compile(r"rank (\d+) ")


class Point(NamedTuple):
    """The call number `nth` (from 0) of `op` that rank `rank` makes for a file; `permanent`: all calls from there on."""

    op: str
    kind: str
    file: str
    nth: int = 0
    rank: int = 0
    permanent: bool = False

    def __str__(self):
        return f"{self.op}-{self.kind}-{self.file}-{self.nth}{'on' if self.permanent else ''}-r{self.rank}"


class FileFaultCase(AppCase):
    """ref.h5 is the undisturbed result of the model ext.onnx, whose weights lie in w.bin, for in.h5 and chunked.h5."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        numbers = np.random.default_rng(3)
        samples = numbers.standard_normal((12, 3, 21, 19)).astype("f4")
        cls.write("in.h5", x=samples)
        with h5py.File(cls.path("chunked.h5"), "w") as file:
            file.create_dataset("x", data=samples, chunks=(3, 3, 21, 19), compression="gzip")
        numbers.standard_normal((4, 3, 3, 3)).astype("f4").tofile(cls.path("w.bin"))
        onnx.write_model(cls.path("ext.onnx"), [onnx.node("Conv", ["x", "w"], "y")], [onnx.value_info("x", ["N", 3, "H", "W"])],
                         ["y"], [onnx.external_tensor("w", [4, 3, 3, 3], "w.bin")])  # fmt: skip
        case = cls()
        case.expect(OK, 1, "run", "ext.onnx", "in.h5", "ref.h5", "--quiet")
        cls.reference = case.result("ref.h5").tobytes()

    def runTest(self):  # setUpClass makes an object
        pass

    def fault_of(self, point):
        """The setting of the preloaded library, apart from what is measured."""
        names = {
            "partial": "file=.partial-,not=.record",
            "record": "file=.record",
            "final": f"file={point}.h5,not=.partial-",
            "folder": f"file={os.path.basename(self.folder)},not=.h5",
            "input": "file=in.h5",
            "chunked": "file=chunked.h5",
            "model": "file=ext.onnx",
            "weights": "file=w.bin",
            "report": f"file={point}.jsonl",
        }
        fields = [f"op={point.op}", f"kind={point.kind}", names[point.file], f"nth={point.nth}", f"rank={point.rank}"]
        return ",".join([*fields, f"from={int(point.permanent)}", "ms=300", f"fired={self.path(str(point))}.fired"])

    def inject(self, point):
        """(whether the fault was injected, problem or None)."""
        name = str(point)
        data = "chunked.h5" if point.file == "chunked" else "in.h5"
        command = [MPIEXEC, "-np", str(RANKS), *self.program, "run", "ext.onnx", data, f"{name}.h5", "--split", "h", "--threads", "1",
                   "--micro-batch", "4", "--report", f"{name}.jsonl", "--quiet",
                   "--timeout", str(TIMEOUT if point.kind == "hanging" else 60)]  # fmt: skip
        environment = {**os.environ, "LD_PRELOAD": SHIM, "PARCONV_FILE_FAULT": self.fault_of(point)}
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=120, check=False)
        end = time.time()
        fired = self.path(name + ".fired")
        is_fired = os.path.exists(fired)
        problem = self.problem(point, done, end - os.path.getmtime(fired) if is_fired else None)
        for left in self.leftovers(name):
            os.unlink(self.path(left))
        return is_fired, problem and f"{name}: exit {done.returncode}: {problem}\n{done.stdout}{done.stderr}"

    # ---- What is right ----

    def codes(self, point):
        """The exit codes that are right for a fault that was injected."""
        if point.kind in HARMLESS:
            return {OK}
        if point.kind == "hanging":
            return {COMMUNICATION}
        is_input = point.file in ("input", "chunked", "model", "weights")
        if point.op == "open":
            # HDF5 repeats some calls that open a file to be created.
            other = {IO} if is_input else {CANNOT_CREATE, IO, *([OK] if point.file == "partial" else [])}
            return {"EACCES": {INPUT_MISSING} if is_input else other, "EMFILE": {OUT_OF_MEMORY} if is_input else {OUT_OF_MEMORY, *other}}.get(
                point.kind, other)
        if is_input:
            return {BAD_DATA} if point.kind == "lost" else {IO}
        if point.kind not in ("lost", "flipped"):
            return {IO}
        # A lost or flipped write need not matter: it may be repeated, and records are read by later jobs only.
        return {IO} if (point.op, point.file) in (("rename", "final"), ("write", "report")) else {OK, IO}

    def problem(self, point, done, seconds):
        output = done.stdout + done.stderr
        allowed = self.codes(point) if seconds is not None else {OK}
        if (point.op, point.file, point.rank) == ("close", "partial", 0) and point.kind not in HARMLESS and seconds is not None:
            allowed = {OK, *allowed}  # some descriptors of rank 0 wrote nothing
        if done.returncode not in allowed:
            return f"expected {sorted(allowed)}"
        if output.count(ERROR) != (0 if done.returncode == OK else 1):
            return "not one error"
        if seconds is not None and seconds > TIMEOUT + GRACE and point.kind == "hanging":
            return f"it ended {seconds:.1f} s after the fault"
        return self.problem_of_files(point, done) or (self.problem_of_message(point, output) if done.returncode != OK else None)

    def problem_of_files(self, point, done):
        name = f"{point}.h5"
        is_there = os.path.exists(self.path(name))
        if done.returncode == OK and not is_there:
            return "no output"
        if is_there and done.returncode != OK and point.file not in ("folder", "report"):
            return "an output in spite of the error"
        if done.returncode == OK and [left for left in self.leftovers(name) if left != name]:
            return f"left: {self.leftovers(name)}"
        return self.problem_of_output(name) if is_there else None

    def problem_of_output(self, name):
        try:
            with h5py.File(self.path(name)) as file:
                for group in ("provenance", "integrity"):
                    for value in file[group].attrs.values():
                        assert value is not None
                assert file["integrity"].attrs["complete"] == 1 and len(file["integrity/blocks"][...]) > 0
                assert all(len(file["output"][axis][...]) > 0 for axis in "ncyx" if axis in file["output"])
            return None if self.result(name).tobytes() == self.reference else "other bits than undisturbed"
        except (OSError, KeyError, AssertionError, RuntimeError) as error:
            return f"the output cannot be read: {error!r}"

    def problem_of_message(self, point, output):
        line = output[output.index(ERROR) :]
        if point.kind == "hanging":
            named = NAMED_RANK.search(line)
            return None if named and int(named[1]) == point.rank else "the rank that hangs is not named"
        files = {"partial": ".partial-", "record": ".record", "final": f"{point}.h5", "folder": self.folder, "input": "in.h5",
                 "chunked": "chunked.h5", "model": "ext.onnx", "weights": "w.bin", "report": f"{point}.jsonl"}  # fmt: skip
        if files[point.file] not in line and not (point.file == "folder" and f"{point}.h5" in line):
            return "the file is not named"
        if not hasattr(errno, point.kind):
            return None
        if os.strerror(getattr(errno, point.kind)) not in line:
            return "not in the words of the operating system"
        if point.kind in SPACE and point.op in ("write", "allocate") and not re.search(r"\d+ bytes are free there", line):
            return "the free space is missing"
        if point.op == "read" and "at byte" not in line:
            return "the offset is missing"
        return None

    def inject_all(self, points, at_once=3):
        """Returns the number of faults that were injected; fails if any point is wrong."""
        chosen = os.environ.get("PARCONV_POINTS")
        points = [point for point in points if not chosen or str(point) in chosen.split(",")]
        results = []
        with ThreadPoolExecutor(at_once) as pool:
            for result in pool.map(self.inject, points):
                results.append(result)
                if result[1]:
                    print(f"\n{len(results)}: {result[1]}", flush=True)
        problems = [problem for _, problem in results if problem]
        fired = sum(is_fired for is_fired, _ in results)
        print(f"\n{len(points) - len(problems)} of {len(points)} points are right; in {fired} the fault was injected")
        self.assertFalse(problems, "\n".join(problems))
        return fired
