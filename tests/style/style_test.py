#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The checks of documents and of licence lines see what they are for."""
import tempfile
import unittest
from pathlib import Path

import docs
import spdx

PAGE = """# A title, with `code`

A line. [there](other.md#a-title) and [below](#b)

## B

## B
"""


class Docs(unittest.TestCase):
    def test_long_lines_are_found_where_they_could_be_wrapped(self):
        long = "word " * 21
        rows = ((long, [1]), ("* " + long, [1]), ("| " + long, []), ("# " + long, []), ("x" * 120, []), ("* [text](" + "x" * 99 + ")", []),
                ("```\n" + long + "\n```", []), ("```\n```\n" + long, [3]), ("w" * 49 + " " + "w" * 50, []))
        for text, numbers in rows:
            with self.subTest(text[:30]):
                self.assertEqual([number for number, _ in docs.long_lines(text, 100)], numbers)

    def test_anchors_are_those_of_github(self):
        self.assertEqual(docs.anchors(PAGE), {"a-title-with-code", "b", "b-1"})

    def test_links_that_lead_nowhere_are_found(self):
        rows = (("[a](other.md)", []), ("[a](other.md#b-1)", []), ("[a](#own)\n# Own", []), ("[a](https://example.org/x)", []),
                ("`[a](none.md)`", []), ("```\n[a](none.md)\n```", []),
                ("[a](none.md)", [1]), ("![a](none.png)", [1]), ("\n[a](other.md#none)", [2]), ("[a](#none)", [1]))
        with tempfile.TemporaryDirectory() as root:
            Path(root, "other.md").write_text(PAGE)
            for text, numbers in rows:
                Path(root, "page.md").write_text(text)
                with self.subTest(text):
                    self.assertEqual([number for number, _ in docs.link_problems(root, "page.md", text)], numbers)

    def test_words_are_those_of_wc(self):
        self.assertEqual(docs.words("one two,\n three `four five`\n\n"), 5)


class Spdx(unittest.TestCase):
    def test_the_line_goes_first_or_behind_the_interpreter(self):
        rows = (("a.cpp", "#include <vector>\n", "// SPDX-License-Identifier: Apache-2.0\n#include <vector>\n"),
                ("a.sh", "#!/bin/sh\nset -e\n", "#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\nset -e\n"),
                ("tests/CMakeLists.txt", "", "# SPDX-License-Identifier: Apache-2.0\n"),
                (".ci/run", "#!/usr/bin/env bash\n", "#!/usr/bin/env bash\n# SPDX-License-Identifier: Apache-2.0\n"))
        for path, before, after in rows:
            with self.subTest(path):
                comment = spdx.comment_of(path)
                self.assertFalse(spdx.has_line(before, comment))
                self.assertEqual(spdx.with_line(before, comment), after)
                self.assertTrue(spdx.has_line(after, comment))

    def test_data_need_no_line(self):
        for path in ("README.md", "a.json", "a.onnx", "expected_passes.txt", "LICENSE"):
            self.assertIsNone(spdx.comment_of(path), path)


if __name__ == "__main__":
    unittest.main()
