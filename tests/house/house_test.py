#!/usr/bin/env python3
"""Runs the house rules over the repository, and over bad examples that each rule has to find.

usage: house_test.py [--root FOLDER]"""
import argparse
import os
import sys
import tempfile
import unittest

import house_rules as rules

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))


class the_repository(unittest.TestCase):
    def test_keeps_the_house_rules(self):
        code = rules.tree(ROOT)
        self.assertGreater(len(code.files), 20, f"{ROOT} does not look like the repository")
        for warning in rules.long_files(code):
            print(warning)
        faults = [str(one) for rule in rules.RULES for one in rule(code)]
        if faults:
            self.fail(f"{len(faults)} faults\n" + "\n".join(faults))


class each_rule(unittest.TestCase):
    """A rule finds its bad example, names file and line, and leaves the good twin alone."""

    def faults(self, rule, files):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                path = os.path.join(folder, name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
            return [(one.file, one.line) for one in rule(rules.tree(folder))]

    def finds(self, rule, bad, where, good):
        self.assertEqual(self.faults(rule, bad), where)
        self.assertEqual(self.faults(rule, good), [])

    def test_includes_go_down_only(self):
        self.finds(rules.include_rule,
                   {"config/a.hpp": '#pragma once\n#include "actors/messages.hpp"\n'},
                   [("config/a.hpp", 2)],
                   {"actors/a.cpp": '#include "config/loop.hpp"\n#include "providers/llm.hpp"\n'})

    def test_providers_and_persistence_do_not_know_each_other(self):
        self.finds(rules.include_rule,
                   {"providers/a.cpp": '#include "persistence/store.hpp"\n',
                    "persistence/b.cpp": '#  include "providers/llm.hpp"\n'},
                   [("persistence/b.cpp", 1), ("providers/a.cpp", 1)],
                   {"persistence/b.cpp": '#include "persistence/store.hpp"\n'})

    def test_tests_follow_their_room(self):
        self.finds(rules.include_rule,
                   {"tests/config/a_test.cpp": '#include "gateway/codec.hpp"\n'},
                   [("tests/config/a_test.cpp", 1)],
                   {"tests/lab/a_test.cpp": '#include "gateway/codec.hpp"\n'})

    def test_gateway_sees_of_actors_only_interfaces_and_messages(self):
        self.finds(rules.include_rule,
                   {"gateway/a.cpp": '#include "actors/checklist.hpp"\n'},
                   [("gateway/a.cpp", 1)],
                   {"gateway/a.cpp": '#include "actors/interfaces.hpp"\n#include "actors/messages.hpp"\n',
                    "tests/gateway/a_test.cpp": '#include "actors/checklist.hpp"\n'})

    def test_lower_rooms_do_not_know_caf(self):
        self.finds(rules.caf_rule,
                   {"providers/a.hpp": "\n#include <caf/all.hpp>\n"}, [("providers/a.hpp", 2)],
                   {"actors/a.hpp": "#include <caf/all.hpp>\n"})

    def test_beast_stays_in_four_sources(self):
        beast = "#include <boost/beast/core.hpp>\n"
        self.finds(rules.heavy_headers,
                   {f"gateway/{name}.cpp": beast for name in "abcde"}, [("gateway/e.cpp", 1)],
                   {f"gateway/{name}.cpp": beast for name in "abcd"})

    def test_heavy_headers_stay_out_of_headers(self):
        self.finds(rules.heavy_headers,
                   {"gateway/a.hpp": "#include <boost/beast.hpp>\n#include <nlohmann/json.hpp>\n"},
                   [("gateway/a.hpp", 1), ("gateway/a.hpp", 2)],
                   {"gateway/a.hpp": "#include <nlohmann/json_fwd.hpp>\n",
                    "gateway/a.cpp": "#include <nlohmann/json.hpp>\n"})

    def test_files_stay_short(self):
        self.finds(rules.file_length,
                   {"actors/a.cpp": "\n" * (rules.LINES_MAX + 1)}, [("actors/a.cpp", rules.LINES_MAX + 1)],
                   {"actors/a.cpp": "\n" * rules.LINES_MAX})

    def test_growing_files_are_listed(self):
        self.finds(rules.long_files,
                   {"web/a.js": "\n" * (rules.LINES_AIM + 1)}, [("web/a.js", rules.LINES_AIM + 1)],
                   {"web/a.js": "\n" * rules.LINES_AIM})

    def test_a_provider_is_one_file_one_line_one_test(self):
        line = {"providers/catalog.def": '// STT(name, "summary")\nSTT(acme, "Acme")\n'}
        file = {"providers/stt_acme.cpp": "result<provider> make_stt_acme(const context& c) {}\n"}
        test = {"tests/providers/stt_acme_test.cpp": "\n"}
        self.assertEqual(self.faults(rules.catalogue, line), [("providers/catalog.def", 2)] * 2)
        self.assertEqual(self.faults(rules.catalogue, line | file), [("providers/catalog.def", 2)])
        self.assertEqual(self.faults(rules.catalogue, file | test), [("providers/stt_acme.cpp", 1)])
        self.assertEqual(self.faults(rules.catalogue, line | file | test), [])

    def test_each_counter_is_counted(self):
        listing = {"config/counters.def": 'COUNTER(frames_in, "Frames")\nCOUNTER(frames_out, "Frames")\n'}
        one = {"gateway/a.cpp": "count.add(counter::frames_in);\n"}
        both = {"gateway/a.cpp": "count.add(counter::frames_in);\ncount.add(counter::frames_out, 2);\n"}
        self.finds(rules.counters_used, listing | one, [("config/counters.def", 2)], listing | both)

    def test_time_is_injected(self):
        self.finds(rules.clocks,
                   {"actors/a.cpp": "\nauto now = std::chrono::system_clock::now();\n"}, [("actors/a.cpp", 2)],
                   {"config/asio_loop.cpp": "auto now = std::chrono::system_clock::now();\n",
                    "actors/a.cpp": "// never system_clock\nauto now = where.wall();\n"})

    def test_tests_do_not_sleep(self):
        self.finds(rules.no_sleeps,
                   {"tests/actors/a.cpp": "std::this_thread::sleep_" "for(1s);\n",
                    "tests/e2e/b.py": "import time\ntime.sle" "ep(1)\n",
                    "tests/e2e/c.sh": "true\n"},
                   [("tests/actors/a.cpp", 1), ("tests/e2e/b.py", 2)],
                   {"tests/actors/a.cpp": "sleepy(1);\n"})

    def test_log_lines_of_a_session_name_it(self):
        self.finds(rules.logs_name_their_session,
                   {"actors/a.cpp": '\nlog(log_level::info, "a.b",\n    {{"reason", name_of(why)}});\n',
                    "gateway/connection_b.cpp": 'log(why ? log_level::info : log_level::debug, "c");\n'},
                   [("actors/a.cpp", 2), ("gateway/connection_b.cpp", 1)],
                   {"actors/a.cpp": 'log(log_level::info, "a.b",\n    {{"session", id(x)}, {"reason", why}});\n'
                                    "log_->push(log_level);\n",
                    "gateway/listener.cpp": 'log(log_level::info, "c");\n'})

    def test_links_lead_somewhere(self):
        self.finds(rules.links,
                   {"docs/a.md": "# A title\n[b](b.md)\n[c](../c.txt)\n[x](#no-such)\n"},
                   [("docs/a.md", 2), ("docs/a.md", 3), ("docs/a.md", 4)],
                   {"docs/a.md": "# A title\n[b](b.md#the-b-part)\n[a](#a-title)\n[w](https://example.org/x)\n",
                    "docs/b.md": "## The `b` part\n"})

    def test_files_that_documentation_names_exist(self):
        self.finds(rules.named_files,
                   {"docs/a.md": "\nlook at `actors/gone.hpp`\n"}, [("docs/a.md", 2)],
                   {"docs/a.md": "`actors/b.hpp`, `providers/llm_NAME.cpp`, `actors/b*`, `tests/`\n",
                    "actors/b.hpp": "\n"})

    def test_no_trace_of_a_machine(self):
        self.finds(rules.machine_traces,
                   {"docs/a.md": "see /wo" "rk/main\n", "web/b.json": '{"resolved": "htt' 'ps://x/y.tgz"}\n',
                    "scripts/c.sh": "pip install --index-" "url x\n"},
                   [("docs/a.md", 1), ("scripts/c.sh", 1), ("web/b.json", 1)],
                   {"docs/a.md": "the work/main folder, https://example.org/work/x, ${root}/data\n"})

    def test_test_folders_mirror_rooms(self):
        self.finds(rules.test_folders,
                   {"tests/helpers/a.cpp": "\n"}, [("tests/helpers/a.cpp", 1)],
                   {"tests/actors/a_test.cpp": "\n", "tests/lab/main.cpp": "\n", "tests/CMakeLists.txt": "\n"})


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--root", default=ROOT)
    chosen, rest = arguments.parse_known_args()
    ROOT = os.path.abspath(chosen.root)
    unittest.main(argv=sys.argv[:1] + rest)
