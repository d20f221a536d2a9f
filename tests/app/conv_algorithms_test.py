# SPDX-License-Identifier: Apache-2.0
"""Convolution algorithms of cuDNN: timed once, kept in a file, alike on all ranks. On the emulator, whose times mean nothing."""
import json
import os
import re

import numpy as np

from app_case import APP, BAD_DATA, AppCase

ON_GPUS = ("--device", "cuda", "--share-gpu", "--transport", "staged")


class ConvAlgorithms(AppCase):
    program = ["env", f"LD_PRELOAD={os.environ['PARCONV_EMULATOR']}", APP]

    def run_on_gpus(self, np_, output, *options, **more):
        return self.run_small(np_, output, "--force", *ON_GPUS, *options, seconds=250, **more)

    def num_timed(self, np_, output, *options):
        done = self.run_on_gpus(np_, output, "--conv-algorithms", "timed", *options)
        return int(re.search(r"^convolution algorithms: (\d+) calls? timed", done.stdout, re.M)[1])

    def table(self, name):
        with open(self.path(name)) as file:
            return json.load(file)

    def test_what_a_file_has_is_not_timed_again(self):
        for np_ in (1, 2, 4):
            with self.subTest(ranks=np_):
                cache = ("--conv-algorithm-cache", f"kept{np_}.json")
                first = self.num_timed(np_, "first.h5", *cache)
                (machine,) = self.table(cache[1])["machines"]
                self.assertGreater(first, 3)
                self.assertEqual(len(machine["choices"]), first)
                self.assertTrue(machine["library"].startswith("cuDNN"))
                self.assertTrue(any(choice["engine"] >= 0 and choice["seconds"] > 0 for choice in machine["choices"].values()))
                self.assertEqual(self.num_timed(np_, "second.h5", *cache), 0)
                np.testing.assert_array_equal(self.result("first.h5"), self.result("second.h5"))
                self.assertEqual(self.leftovers(f"kept{np_}.json."), [])

    def test_results_are_those_of_cpus(self):
        self.run_small(1, "cpu.h5", "--force", "--device", "cpu")
        for choice in ("heuristic", "timed", "exact"):
            self.run_on_gpus(2, "gpu.h5", "--engines", choice, "--report", "report.jsonl")
            with open(self.path("report.jsonl")) as file:
                self.assertEqual(json.loads(file.readline())["conv_algorithms"], choice)
            np.testing.assert_allclose(self.result("gpu.h5"), self.result("cpu.h5"), rtol=1e-4, atol=1e-5)

    def test_other_ranks_time_only_what_is_new(self):
        cache = ("--conv-algorithm-cache", "grown.json")
        alone = self.num_timed(1, "a.h5", *cache)
        self.assertGreater(self.num_timed(2, "a.h5", "--split", "h", *cache), 0)
        self.assertGreater(len(self.table("grown.json")["machines"][0]["choices"]), alone)
        self.assertEqual(self.num_timed(1, "a.h5", *cache), 0)

    def test_another_machine_adds_its_own(self):
        self.num_timed(1, "a.h5", "--engine-cache", "moved.json")
        table = self.table("moved.json")
        table["machines"][0]["gpu"] = "Another GPU"
        with open(self.path("moved.json"), "w") as file:
            json.dump(table, file)
        done = self.run_on_gpus(1, "a.h5", "--engines", "timed", "--engine-cache", "moved.json", "--verbose")
        self.assertIn("moved.json has no convolution algorithms for ", done.stdout)
        names = {machine["gpu"]: len(machine["choices"]) for machine in self.table("moved.json")["machines"]}
        self.assertEqual(len(names), 2)
        self.assertEqual(len(set(names.values())), 1)

    def test_multiprocessors_are_left_to_messages_while_ranks_compute(self):
        on_two = ("--device", "cuda", "--transport", "nccl", "--split", "h", "--conv-algorithms", "timed")
        for overlap, is_left in (("on", True), ("off", False)):
            cache = f"overlap_{overlap}.json"
            self.run_small(2, "a.h5", "--force", *on_two, "--overlap", overlap, "--conv-algorithm-cache", cache, PARCONV_EMULATOR_GPUS="2")
            (machine,) = self.table(cache)["machines"]
            self.assertEqual({"8 multiprocessors left" in call for call in machine["choices"]}, {is_left})

    def test_a_damaged_file_is_refused(self):
        for text, place in (('{"parconv_conv_algorithms": 1', "is not JSON"), ('{"parconv_conv_algorithms": 7}', "version 7")):
            with open(self.path("damaged.json"), "w") as file:
                file.write(text)
            for np_ in (1, 2):
                done = self.run_on_gpus(np_, "a.h5", "--engines", "timed", "--engine-cache", "damaged.json", code=BAD_DATA, say=place)
                self.assertIn("damaged.json", done.stderr)
            self.assertEqual(open(self.path("damaged.json")).read(), text)


if __name__ == "__main__":
    import unittest

    unittest.main()
