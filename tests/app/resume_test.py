# SPDX-License-Identifier: Apache-2.0
"""Runs that are stopped or killed, and go on: by requests, after kills between and inside records, with damaged records."""
import os
import shutil
import signal
import unittest

import numpy as np
import tiny_onnx as onnx
from app_case import CANNOT_CREATE, CONFIG, IO, OK, STOPPED
from resume_case import JOB, PROGRESS, ResumeCase, entries_of, samples_in


class Stops(ResumeCase):
    """Each request ends a run with 75 and a record; a resumed run has the bits of an undisturbed one."""

    def started(self, output, np_=2, split="h", *options):
        before = self.recorded(output)
        process = self.launch(np_, output, "--split", split, *options)
        self.wait_for(lambda: self.recorded(output) > before, process)
        return process

    def test_signal_to_the_launcher(self):
        process = self.started("a.h5")
        process.send_signal(signal.SIGUSR1)
        self.expect_stop(process, "a.h5", "SIGUSR1")
        self.expect_resumption(4, "a.h5", "--split", "h=2,w=2")

    def test_signal_to_one_rank(self):
        process = self.started("b.h5", 3)
        os.kill(self.ranks_of(process)[-1], signal.SIGUSR1)
        self.expect_stop(process, "b.h5", "SIGUSR1")
        self.expect_resumption(1, "b.h5")

    def test_stop_file(self):
        process = self.started("c.h5")
        with open(self.path("c.h5.stop"), "w", encoding="utf-8"):
            pass
        self.expect_stop(process, "c.h5", "the file c.h5.stop")
        self.assertNotIn("c.h5.stop", self.leftovers("c.h5"))
        # A stopped run is resumed and stopped again; stages have several micro-batches in flight.
        process = self.started("c.h5", 3, "stages", "--resume")
        process.send_signal(signal.SIGUSR1)
        self.expect_stop(process, "c.h5", "SIGUSR1")
        self.expect_resumption(2, "c.h5", "--split", "f")

    def test_a_stop_before_the_run_leaves_nothing(self):
        with open(self.path("d.h5.stop"), "w", encoding="utf-8"):
            pass
        self.run_small(2, "d.h5", code=STOPPED, say="the job was stopped before")
        self.assertEqual(self.leftovers("d.h5"), [])
        self.run_small(2, "d.h5", "--resume")

    def test_time_limit(self):
        self.run_small(2, "e.h5", "--max-time", 1e-3, code=STOPPED, say="the job was stopped before")
        process = self.launch(2, "e.h5", "--max-time", 0.7, "--split", "h")
        code, text = self.finish(process)
        self.assertEqual(code, STOPPED, text)
        self.expect(OK, 2, "run", "small.onnx", "many.h5", "e.h5", "--resume", "--split", "w")
        self.expect_reference("e.h5")


class Kills(ResumeCase):
    """After SIGKILL the last record holds."""

    def test_resume_on_any_number_of_ranks(self):
        for np_, split in ((1, "1"), (2, "w"), (3, "f"), (4, "n")):
            recorded = self.interrupt(2, "k.h5", "--split", "h")
            self.assertLess(recorded, self.many)
            done = self.expect_resumption(np_, "k.h5", "--split", split)
            self.assertNotIn("note:", done.stderr)
            os.remove(self.path("k.h5"))

    def test_kills_inside_records_and_at_the_end(self):
        for rank in (0, 1):
            for phase, tick in (("record", 1), ("record", 2), ("finish", 0)):
                fault = f"rank={rank},phase={phase},kind=kill,tick={tick}"
                backend = "cpu" if phase == "finish" else "reference"
                code, text = self.finish(self.launch(2, "i.h5", "--split", "h", backend=backend, PARCONV_FAULT=fault))
                self.assertNotIn(code, (OK, STOPPED), f"{fault}\n{text}")
                if phase == "finish":
                    self.assertEqual(self.recorded("i.h5"), self.many)
                    self.expect(OK, 3, "run", "small.onnx", "many.h5", "i.h5", "--resume")
                    self.expect_reference("i.h5")
                else:
                    self.expect_resumption(3, "i.h5")
                os.remove(self.path("i.h5"))

    def damage(self, path, position=None, cut=0, add=b""):
        """Cuts bytes off, appends some, or flips a bit at a position counted from the end."""
        with open(path, "r+b") as file:
            data = bytearray(file.read())
            if position is not None:
                data[-position] ^= 1
            file.seek(0)
            file.truncate()
            file.write(bytes(data[: len(data) - cut]) + add)

    def test_damaged_records(self):
        self.interrupt(2, "t.h5", "--split", "h", interval=0.02)
        os.mkdir(self.path("kept"))
        for name in self.leftovers("t.h5"):
            shutil.move(self.path(name), self.path("kept"))
        for damage in ({"cut": 1}, {"position": 3}, {"add": b"pcr1\3\0\0\0torn"}, {"cut": 1, "add": b"x"}):
            shutil.copytree(self.path("kept"), self.folder, dirs_exist_ok=True)
            entries = entries_of(self.record_of("t.h5"))
            self.assertEqual(entries[-1][0], PROGRESS)
            self.damage(self.record_of("t.h5"), **damage)
            left = samples_in(entries if list(damage) == ["add"] else entries[:-1])
            self.expect_resumption(2, "t.h5", "--split", "w", after=left)
            os.remove(self.path("t.h5"))


class Resumption(ResumeCase):
    """One command for the first start, the requeue and arrays; other jobs are refused, and their files kept."""

    def test_first_start_and_complete_output(self):
        for np_, say in ((2, "written: one.h5"), (3, "complete: one.h5"), (1, "complete: one.h5")):
            self.run_small(np_, "one.h5", "--resume", say=say)
        self.run_small(2, "one.h5", "--resume", "--force", say="complete: one.h5")
        self.assertEqual(self.leftovers("one.h5"), ["one.h5"])
        self.run_small(2, "one.h5", "--resume", "--scale", 2, code=CANNOT_CREATE, say="exists")
        self.run_small(2, "one.h5", code=CANNOT_CREATE, say="exists")

    def test_several_outputs(self):
        onnx.write_model(
            self.path("outputs.onnx"),
            [onnx.node("Relu", ["x"], "y"), onnx.node("MaxPool", ["y"], "z", kernel_shape=[3, 3])],
            [onnx.value_info("x", ["N", 3, "H", "W"])],
            ["y", "z"],
        )
        self.expect(OK, 1, "run", "outputs.onnx", "many.h5", "whole.h5", "--quiet")
        process = self.launch(2, "two.h5", "--split", "h", model="outputs.onnx")
        self.wait_for(lambda: self.recorded("two.h5") > 0, process)
        self.kill_all(process)
        self.expect(OK, 3, "run", "outputs.onnx", "many.h5", "two.h5", "--resume", "--split", "h")
        for end in (".h5", ".z.h5"):
            self.assertEqual(self.result("whole" + end).tobytes(), self.result("two" + end).tobytes())
        self.expect(OK, 2, "run", "outputs.onnx", "many.h5", "two.h5", "--resume", say="complete")

    def test_other_jobs_are_refused_and_kept(self):
        self.interrupt(2, "o.h5", "--split", "h")
        left = sorted(self.leftovers("o.h5"))
        arguments = ["run", "small.onnx", "many.h5", "o.h5", "--resume"]
        self.expect(CONFIG, 2, *arguments, "--scale", 0.5, say="it differs in --scale: none in the record, 0.5 now")
        self.expect(CONFIG, 2, *arguments, "--pad-to-fit", say="it differs in --pad-to-fit: none in the record, set now")
        self.expect(CONFIG, 2, "run", "small.onnx", "in.h5", "o.h5", "--resume", say="it differs in the shape of")
        self.assertEqual(sorted(self.leftovers("o.h5")), left)
        # A job that begins anew names them, and replaces nothing with --force.
        done = self.expect(OK, 2, "run", "small.onnx", "many.h5", "o.h5", "--force")
        self.assertEqual(done.stderr.count("note: unfinished outputs of other jobs: o.h5.partial-"), 1, done.stderr)
        self.assertEqual(sorted(self.leftovers("o.h5")), ["o.h5", *left])
        self.expect(OK, 2, "run", "small.onnx", "many.h5", "o.h5", "--force", "--discard-partial", say="note: removed")
        self.assertEqual(self.leftovers("o.h5"), ["o.h5"])

    def test_jobs_that_ended_before_they_computed_leave_nothing(self):
        self.interrupt(2, "e.h5", "--split", "h")
        record = self.record_of("e.h5")
        kind, _, end = entries_of(record)[0]
        self.assertEqual(kind, JOB)
        os.truncate(record, end)
        for ends in ("record", "partial"):  # without and with the partial file
            if ends == "record":
                shutil.copy(record.removesuffix(".record"), self.path("kept.partial"))
                shutil.copy(record, self.path("kept.record"))
                os.remove(record.removesuffix(".record"))
            else:
                shutil.move(self.path("kept.partial"), record.removesuffix(".record"))
                shutil.move(self.path("kept.record"), record)
            done = self.expect(OK, 2, "run", "small.onnx", "many.h5", "e.h5", "--force", say="(0 of 200 samples, nothing to resume)")
            self.assertNotIn("resumable", done.stderr)
            os.remove(self.path("e.h5"))
            done = self.expect(OK, 3, "run", "small.onnx", "many.h5", "e.h5", "--resume", "--split", "h")
            self.assertNotIn("going on after", done.stdout)
            self.expect_reference("e.h5")
            os.remove(self.path("e.h5"))

    def test_damaged_data_are_found_before_computing(self):
        self.interrupt(2, "d.h5", "--split", "h")
        partial = self.record_of("d.h5").removesuffix(".record")
        with open(partial, "r+b") as file:
            file.seek(file.read().index(self.result("ref.h5")[0].tobytes()))
            file.write(b"\0\0\0\1")
        self.expect(IO, 2, "run", "small.onnx", "many.h5", "d.h5", "--resume", say="reads back differently")
        self.assertIn(os.path.basename(partial), self.leftovers("d.h5"))

    def test_without_a_split_the_recorded_plan_is_used(self):
        self.interrupt(2, "p.h5", "--split", "h")
        for np_, options, say in ((3, (), "split auto"), (2, ("--split", "w"), "split w=2"), (2, (), "split as recorded")):
            process = self.launch(np_, "p.h5", "--resume", *options, PARCONV_FAULT="rank=0,phase=record,kind=throw,tick=1")
            code, text = self.finish(process)
            self.assertNotEqual(code, OK, text)
            self.assertIn(say, text)
        done = self.expect_resumption(2, "p.h5")
        self.assertIn("split as recorded", done.stdout)

    def test_files_without_a_record_are_kept(self):
        with open(self.path("x.h5.partial-7"), "w", encoding="utf-8") as file:
            file.write("of an old version")
        with open(self.path("x.h5.partial-8.record"), "w", encoding="utf-8") as file:
            file.write("")
        done = self.run_small(2, "x.h5", "--discard-partial")
        self.assertEqual(done.stderr.count("note: kept"), 2, done.stderr)
        self.run_small(2, "x.h5", "--resume", "--force", say="x.h5.partial-7 (without a record)")
        self.assertEqual(sorted(self.leftovers("x.h5")), ["x.h5", "x.h5.partial-7", "x.h5.partial-8.record"])

    def test_a_job_that_runs_keeps_its_files(self):
        process = self.launch(2, "live.h5", "--split", "h", PARCONV_FAULT="rank=1,phase=record,kind=hang,tick=1")
        self.wait_for(lambda: self.record_of("live.h5") is not None, process)
        ranks = self.ranks_of(process)
        self.wait_for(lambda: len(entries_of(self.record_of("live.h5"))) >= 2, process)
        arguments = ["run", "small.onnx", "many.h5", "live.h5"]
        self.expect(CANNOT_CREATE, 1, *arguments, "--resume", say="is still being written by process")
        os.kill(ranks[0], signal.SIGSTOP)  # rank 0 or 1: one of them is enough
        done = self.expect(OK, 1, *arguments, "--discard-partial", say="its job is running")
        self.assertEqual(done.stderr.count("note: kept"), 1)
        self.kill_all(process)
        self.assertEqual(len(self.leftovers("live.h5.partial-")), 2)

    def test_backends_without_promised_bits_go_on_with_the_same_plan_only(self):
        if not self.has_onednn():
            self.skipTest("a build without oneDNN")
        self.interrupt(2, "b.h5", "--split", "h", backend="onednn")
        arguments = ["run", "small.onnx", "many.h5", "b.h5", "--resume", "--backend", "onednn", "--micro-batch", 1]
        self.expect(CONFIG, 2, *arguments, "--split", "w", say="it differs in the bits")
        self.expect(OK, 2, *arguments, say="going on after")

    def test_dry_runs_name_the_blocks(self):
        self.run_small(0, "dry.h5", "--dry-run", say="progress is recorded in 5 blocks: the samples")
        self.write("single.h5", x=np.zeros((1, 3, 84, 76), "f4"))
        self.expect(OK, 0, "run", "small.onnx", "single.h5", "dry.h5", "--dry-run", say="progress is recorded in 1 block, the only sample")


if __name__ == "__main__":
    unittest.main()
