# SPDX-License-Identifier: Apache-2.0
"""Many kills and stops at random times: no partial file under its final name, a quick end, and a right result afterwards.

PARCONV_KILLS (300) and PARCONV_STOPS (100) are their numbers, PARCONV_SEED (1) chooses the times."""
import contextlib
import os
import random
import signal
import time
import unittest

import h5py
from app_case import OK, STOPPED
from resume_case import ResumeCase

KILLS = int(os.environ.get("PARCONV_KILLS", "300"))
STOPS = int(os.environ.get("PARCONV_STOPS", "100"))
SEED = int(os.environ.get("PARCONV_SEED", "1"))
SPLITS = {1: ["1"], 2: ["h", "w", "n", "f", "stages"], 3: ["h", "w", "stages"], 4: ["h=2,w=2", "n", "stages=2,h=2"]}
LIMIT_SECONDS = 5
ALL_RANKS, ONE_RANK, LAUNCHER = "all ranks", "one rank", "the launcher"


class Disturbed(ResumeCase):
    many = 100

    def choose(self, number):
        self.chance = random.Random(f"{SEED} {type(self).__name__} {number}")
        np_ = self.chance.randint(1, 4)
        return np_, self.chance.choice(SPLITS[np_])

    def disturb(self, process, who, which):
        """Sends a signal; returns the seconds until the launcher and all ranks have ended."""
        ranks = self.ranks_of(process)
        targets = {ALL_RANKS: ranks, ONE_RANK: [self.chance.choice(ranks)] if ranks else [], LAUNCHER: [process.pid]}[who]
        begin = time.monotonic()
        for pid in targets:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, which)
        while process.poll() is None or any(os.path.exists(f"/proc/{pid}") for pid in ranks):
            if time.monotonic() - begin > 3 * LIMIT_SECONDS:
                break
            time.sleep(0.01)
        return time.monotonic() - begin

    def expect_whole_or_nothing(self, output, about):
        if output not in os.listdir(self.folder):
            return
        with h5py.File(self.path(output)) as file:
            self.assertEqual(file["integrity"].attrs["complete"], 1, about)
        self.assertEqual(self.result(output).tobytes(), self.result("ref.h5").tobytes(), about)

    def expect_right_after_resuming(self, output, about):
        np_ = self.chance.randint(1, 4)
        split = self.chance.choice(SPLITS[np_])
        recorded = self.recorded(output)
        done = self.start(np_, "run", "small.onnx", "many.h5", output, "--resume", "--split", split)
        text = f"{about}; resumed on {np_} with {split}\n{done.stdout}\n{done.stderr}"
        self.assertEqual(done.returncode, OK, text)
        if recorded > 0:
            self.assertTrue(f"going on after {recorded} samples" in text or "complete:" in text, text)
        self.assertEqual(self.result(output).tobytes(), self.result("ref.h5").tobytes(), text)
        self.assertEqual(self.leftovers(output), [output], text)
        os.remove(self.path(output))


class ManyKills(Disturbed):
    def test_kills(self):
        slow_ends = []
        for number in range(KILLS):
            np_, split = self.choose(number)
            who = self.chance.choice([ALL_RANKS, ONE_RANK, LAUNCHER])
            which = self.chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGSEGV, signal.SIGHUP])
            about = f"kill {number}: {which.name} to {who} of {np_} with {split}"
            process = self.launch(np_, "k.h5", "--split", split, interval=self.chance.choice([0.01, 0.1, 30]))
            time.sleep(self.chance.uniform(0.2, 2.0))
            state = "in the run" if self.record_of("k.h5") else "in its start"
            seconds = self.disturb(process, who, which)
            if seconds > LIMIT_SECONDS:
                slow_ends.append(f"{about}, {state}: {seconds:.1f} s")
                self.kill_all(process)
            else:
                self.finish(process)
            self.expect_whole_or_nothing("k.h5", about)
            self.expect_right_after_resuming("k.h5", about)
        self.assertEqual(slow_ends, [])


class ManyStops(Disturbed):
    def test_stops(self):
        for number in range(STOPS):
            np_, split = self.choose(number)
            who = self.chance.choice([ALL_RANKS, ONE_RANK, LAUNCHER])
            about = f"stop {number}: {who} of {np_} with {split}"
            process = self.launch(np_, "s.h5", "--split", split, interval=self.chance.choice([0, 0.05]))
            self.wait_for(lambda: self.record_of("s.h5") is not None or process.poll() is not None, process)
            time.sleep(self.chance.uniform(0, 0.8))
            seconds = self.disturb(process, who, signal.SIGUSR1)
            code, text = self.finish(process)
            self.assertIn(code, (OK, STOPPED), f"{about}\n{text}")
            self.assertLess(seconds, LIMIT_SECONDS, about)
            self.expect_whole_or_nothing("s.h5", about)
            if "--resume goes on" in text:
                self.assertEqual(code, STOPPED, about)
                self.assertIn(f"after {self.recorded('s.h5')} of {self.many} samples", text)
            self.expect_right_after_resuming("s.h5", about)


if __name__ == "__main__":
    unittest.main()
