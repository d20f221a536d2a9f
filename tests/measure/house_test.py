#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The measuring script counts what is in a tree made for it."""
import subprocess
import tempfile
import unittest
from pathlib import Path

import house
import tags

HEADER = """#pragma once
#include <map>

/// Documented.
struct Shape {
  int rows;       // no function
  int area() const { return rows; }
};

/// Documented.
template <class T>
T id(T x);

void undocumented(int a, std::map<int, int> b = {}, bool is_last = false);

int flag();  ///< documented behind
"""

SOURCE = """#include "parconv/core/shape.hpp"
#ifdef SOMETHING
#endif

void undocumented(int a, std::map<int, int> b, bool is_last) {
  if (a > 0) {
    undocumented(a - 1, b, is_last);
  }
}
"""

FILES = {
    "README.md": "one two\n```\nthree\n```\n",
    "src/CMakeLists.txt": "parconv_module(core)\nparconv_module(model PUBLIC parconv_core)\n",
    "include/parconv/core/shape.hpp": HEADER,
    "include/parconv/model/needy.hpp": "#pragma once\ninline std::size_t size() { return 0; }\n",
    "src/core/shape.cpp": SOURCE,
    "src/model/shape.hpp": '#pragma once\n#include "parconv/core/shape.hpp"\n',
    "src/model/wrong.cpp": "#include <mpi.h>\n",
    **{f"tests/crowd/test_{k}.cpp": "int main() { return 0; }\n" for k in range(26)},
}


class House(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        root = cls.folder.name
        for path, text in FILES.items():
            Path(root, path).parent.mkdir(parents=True, exist_ok=True)
            Path(root, path).write_text(text)
        subprocess.run(["git", "-C", root, "init", "--quiet"], check=True)
        cls.house = house.measure(root)

    def test_files_and_functions(self):
        product = self.house["product"]
        self.assertEqual(product["lines"], 16 + 2 + 9 + 2 + 1)
        self.assertEqual(product["files"], {"count": 5, "median": 2, "p90": 16, "max": 16})
        self.assertEqual(product["functions"]["lines"], {"count": 3, "median": 1, "p90": 5, "max": 5})
        self.assertEqual(product["functions"]["arguments"]["max"], 3)
        self.assertEqual(product["conditions_per_kloc"], round(1000 / 30, 2))

    def test_folders(self):
        self.assertEqual(self.house["folders"]["over_25"], {"tests/crowd": 26})

    def test_interface(self):
        interface = self.house["interface"]
        self.assertEqual([where.split()[1] for where in interface["bool_parameters"]], ["undocumented"])
        self.assertEqual([where.split()[1] for where in interface["undocumented"]], ["area", "undocumented", "size"])
        self.assertEqual(interface["documented"], 3)

    def test_violations_headers_and_stems(self):
        self.assertEqual(self.house["layer_violations"], {"count": 1, "by_kind": {"third-party": 1}, "in_product": 1})
        self.assertEqual(self.house["headers_alone"], {"checked": 2, "failed": ["include/parconv/model/needy.hpp"]})
        self.assertEqual(self.house["duplicate_stems"], {"shape": ["/core", "/model"]})
        self.assertEqual(self.house["readme_words"], 5)


class Parts(unittest.TestCase):
    def test_quantiles(self):
        self.assertEqual([house.quantile(list(range(1, 11)), fraction) for fraction in (0.5, 0.9, 1)], [5, 9, 10])
        self.assertEqual([house.quantile([7], 0.9), house.quantile([], 0.5)], [7, 0])

    def test_arguments(self):
        rows = (("()", 0), ("(void)", 0), ("(int a) const", 1), ("(std::map<int,int> a,int b=f (1,2))", 2), ("(F<int(int,int)> f) noexcept(true)", 1),
                ("(auto f=[](int a,int b)->int{return a;},int c)", 2))
        for signature, count in rows:
            self.assertEqual(len(tags.split_arguments(signature)), count, signature)


if __name__ == "__main__":
    unittest.main()
