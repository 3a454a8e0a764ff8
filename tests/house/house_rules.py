"""The house rules that no compiler checks. Each rule is a function that takes a `tree` and yields faults.

A fault says where (file and line) and how to mend it. house_test.py runs the rules over the repository
and over small bad examples, so that a rule that finds nothing any more is noticed."""
import os
import re
import subprocess
from dataclasses import dataclass

# Who may include whom: a room, and every room below it.
BELOW = {
    "config": ["config"],
    "persistence": ["persistence", "config"],
    "providers": ["providers", "config"],
    "actors": ["actors", "providers", "persistence", "config"],
    "gateway": ["gateway", "actors", "providers", "persistence", "config"],
    "cluster": ["cluster", "gateway", "actors", "providers", "persistence", "config"],
    "cli": ["cli", "cluster", "gateway", "actors", "providers", "persistence", "config"],
}
ACTORS_SEEN_BY_GATEWAY = ["actors/interfaces.hpp", "actors/messages.hpp", "actors/voice_messages.hpp"]
ROOMS_WITHOUT_CAF = ["config", "persistence", "providers"]
CLOCK_FILES = ["config/asio_loop.hpp", "config/asio_loop.cpp", "config/loop.hpp"]
# Folders of tests/ that mirror no room: what they are is said in ARCHITECTURE.md.
OTHER_TEST_FOLDERS = ["lab", "conformance", "integration", "chaos", "e2e", "fuzz", "mutants", "house",
                      "deciders", "connection", "support", "soak"]
BEAST_FILES_MAX = 4
LINES_MAX = 400
LINES_AIM = 300
SOURCES = (".cpp", ".hpp", ".js", ".mjs", ".py")
CPP = (".cpp", ".hpp")
TEXTS = SOURCES + (".md", ".json", ".jsonc", ".txt", ".cmake", ".sh", ".html", ".css", ".def",
                   ".yml", ".yaml", ".sql", ".service", "Makefile", "run")


@dataclass(frozen=True)
class fault:
    file: str
    line: int
    what: str

    def __str__(self):
        return f"{self.file}:{self.line}: {self.what}"


class tree:
    """The files of a repository: what git tracks or would track, else all that lies there."""

    def __init__(self, root):
        self.root = root
        self.files = sorted(path for path in self._list() if os.path.isfile(self.path(path)))

    def path(self, name):
        return os.path.join(self.root, name)

    def _list(self):
        if os.path.exists(self.path(".git")):
            listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"],
                                    cwd=self.root, capture_output=True, text=True)
            if listed.returncode == 0:
                return set(filter(None, listed.stdout.split("\0")))
        found = set()
        for folder, folders, names in os.walk(self.root):
            folders[:] = [f for f in folders if f not in ("build", "data", ".git", ".cache", "node_modules")]
            found.update(os.path.relpath(os.path.join(folder, n), self.root) for n in names)
        return found

    def lines(self, name):
        """[(number, text)], numbered from 1."""
        with open(self.path(name), encoding="utf-8", errors="replace") as file:
            return list(enumerate(file.read().splitlines(), 1))

    def ending(self, endings, *folders):
        return [f for f in self.files if f.endswith(endings)
                and (not folders or f.split("/")[0] in folders)]


def room_of(name):
    parts = name.split("/")
    if parts[0] == "tests" and len(parts) > 2:
        return parts[1] if parts[1] in BELOW else None
    return parts[0] if parts[0] in BELOW and len(parts) > 1 else None


def includes(code, name):
    """[(line, "room/file.hpp" or <header>, quoted)]"""
    for number, text in code.lines(name):
        found = re.match(r'\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', text)
        if found:
            yield number, found.group(1) or found.group(2), bool(found.group(1))


def include_rule(code):
    for name in code.ending(CPP, *BELOW, "tests"):
        room = room_of(name)
        for number, target, quoted in includes(code, name):
            to = target.split("/")[0]
            if room is None or to not in BELOW:
                continue
            if to not in BELOW[room]:
                yield fault(name, number, f"{room} includes {target}, but includes go down only: move what "
                            f"both need into a lower room, or pass it in from above")
            elif (name.startswith("gateway/") and to == "actors"
                  and target not in ACTORS_SEEN_BY_GATEWAY):
                yield fault(name, number, f"gateway sees of actors only {' and '.join(ACTORS_SEEN_BY_GATEWAY)}, "
                            f"not {target}: send a message instead")


def caf_rule(code):
    for name in code.ending(CPP, *ROOMS_WITHOUT_CAF):
        for number, target, _ in includes(code, name):
            if target.startswith("caf/"):
                yield fault(name, number, f"{name.split('/')[0]} does not know CAF: take a std::function or the "
                            "loop, and let an actor send the message")


def heavy_headers(code):
    beast = []
    for name in code.ending(CPP, *BELOW):
        for number, target, _ in includes(code, name):
            if target.startswith("boost/beast"):
                if name.endswith(".hpp"):
                    yield fault(name, number, "Beast costs each reader 16 s: put a small interface into the "
                                "header and Beast into its .cpp")
                elif name not in beast:
                    beast.append(name)
                    if len(beast) > BEAST_FILES_MAX:
                        yield fault(name, number, f"the fifth .cpp with Beast (at most {BEAST_FILES_MAX}): "
                                    f"use one of {', '.join(beast[:BEAST_FILES_MAX])}")
            if target == "nlohmann/json.hpp" and name.endswith(".hpp"):
                yield fault(name, number, "no nlohmann/json.hpp in headers: json_text in interfaces, "
                            "json_fwd.hpp where a reference is enough")


def file_length(code):
    for name in code.ending(SOURCES):
        count = len(code.lines(name))
        if count > LINES_MAX:
            yield fault(name, count, f"{count} lines, at most {LINES_MAX}: cut it by decision, one thing a file")


def long_files(code):
    """Not faults: files that should be cut before they grow on."""
    for name in code.ending(SOURCES):
        count = len(code.lines(name))
        if LINES_AIM < count <= LINES_MAX:
            yield fault(name, count, f"warning: {count} lines, aim {LINES_AIM}")


def catalogue(code):
    """One file, one line, one test."""
    listing = "providers/catalog.def"
    declared = set()
    if listing in code.files:
        for number, text in code.lines(listing):
            found = re.match(r"\s*([A-Z]+)\((\w+),", text)
            if not found:
                continue
            one = f"{found.group(1).lower()}_{found.group(2)}"
            declared.add(one)
            for wanted in (f"providers/{one}.cpp", f"tests/providers/{one}_test.cpp"):
                if wanted not in code.files:
                    yield fault(listing, number, f"{wanted} is missing: a provider is one file, one line, one test")
    for name in code.ending((".cpp",), "providers"):
        for number, text in code.lines(name):
            found = re.search(r"\bmake_((?:llm|stt|tts|vad)_\w+)\(", text)
            if found and name == f"providers/{found.group(1)}.cpp" and found.group(1) not in declared:
                yield fault(name, number, f"no line for {found.group(1)} in {listing}: add one, or nobody can name it")


def counters_used(code):
    listing = "config/counters.def"
    if listing not in code.files:
        return
    used = set()
    for name in code.ending(CPP, *BELOW):
        for _, text in code.lines(name):
            used.update(re.findall(r"\bcounter::(\w+)", text))
    declared = set()
    for number, text in code.lines(listing):
        found = re.match(r"\s*COUNTER\((\w+),", text)
        if found:
            declared.add(found.group(1))
            if found.group(1) not in used:
                yield fault(listing, number, f"nothing counts counter::{found.group(1)}: count it where it "
                            "happens, or take the line out")


def clocks(code):
    for name in code.ending(CPP, *BELOW):
        if name in CLOCK_FILES:
            continue
        for number, text in code.lines(name):
            if re.search(r"\bsystem_clock\b", text.split("//")[0]):
                yield fault(name, number, "time is injected: use loop::wall() (people, journals) or loop::now() "
                            "(deadlines), so that the lab can turn the clock")


def no_sleeps(code):
    waiting = re.compile(r"\bsleep_(?:for|until)\b|\bu?sleep\s*\(|\btime\.sleep\b")
    for name in code.ending(SOURCES + (".sh",), "tests"):
        if name.startswith("tests/house/"):
            continue
        for number, text in code.lines(name):
            if waiting.search(text):
                yield fault(name, number, "a test waits for the event, with a deadline; it never sleeps")


# Lines of a session's actors that belong to no session, by file and event; each says why.
LOGS_OF_NO_SESSION = {
}


def logs_name_their_session(code):
    """Whoever reads a log asks what happened in one session: each line of its tree says in which."""
    for name in code.ending(CPP):
        if not name.startswith(("actors/", "gateway/connection")):
            continue
        text = "\n".join(line for _, line in code.lines(name))
        for call in re.finditer(r"(?<![\w.])log\(\s*(?!std::)", text):
            depth, end = 1, call.end()
            while end < len(text) and depth:
                depth += {"(": 1, ")": -1}.get(text[end], 0)
                end += 1
            body = text[call.end():end]
            event = re.search(r'"([\w. ]+)"', body)
            if "log_level" not in body or '{"session",' in body:
                continue
            if (name, event.group(1) if event else "") not in LOGS_OF_NO_SESSION:
                yield fault(name, text.count("\n", 0, call.start()) + 1, 'a log line of a session without its id: add '
                            '{"session", ...}, or list it in LOGS_OF_NO_SESSION with the reason')


def links(code):
    """Relative links of Markdown files, and their #anchors in Markdown files."""
    for name in code.ending((".md",)):
        for number, text in code.lines(name):
            for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", text)):
                if re.match(r"[a-z]+:", target):
                    continue
                file, _, anchor = target.partition("#")
                where = os.path.normpath(os.path.join(os.path.dirname(name), file)) if file else name
                if not os.path.exists(code.path(where)):
                    yield fault(name, number, f"the link to {target} leads nowhere: mend it or write the page")
                elif anchor and where.endswith(".md") and anchor not in headings(code, where):
                    yield fault(name, number, f"{where} has no heading #{anchor}")


def named_files(code):
    """Files that documentation names in code quotes exist; NAME and * stand for any."""
    folders = "|".join([*BELOW, "tests", "docs", "scripts", "cmake", "clients", "web"])
    for name in code.ending((".md",)):
        for number, text in code.lines(name):
            for path in re.findall(rf"`((?:{folders})/[\w./-]+)`", text):
                if not re.search(r"NAME|ROOM", path) and not os.path.exists(code.path(path)):
                    yield fault(name, number, f"there is no {path}: name the file that has taken its place")


def headings(code, name):
    found = set()
    for _, text in code.lines(name):
        title = re.match(r"#+\s+(.*)", text)
        if title:
            plain = re.sub(r"[^\w\- ]", "", title.group(1).lower())
            found.add(plain.strip().replace(" ", "-"))
    return found


# In brackets, so that this file does not find itself.
MACHINE = re.compile(r"(?:^|[^A-Za-z0-9_.])/(?:wor[k]|far[m]|roo[t]|hom[e]/\w)/?(?:[^\w]|\w+/)")
REGISTRY = re.compile(r"registry\.npm[j]s|pypi\.or[g]|pythonhoste[d]|deb\.debia[n]|crates\.i[o]"
                      r"|\"resolved\":\s*\"http|--(?:extra-)?index-ur[l]")


def machine_traces(code):
    for name in code.files:
        if not name.endswith(TEXTS) or name == "LICENSE":
            continue
        for number, text in code.lines(name):
            if MACHINE.search(text):
                yield fault(name, number, "a path of one machine: make it relative, or a variable")
            if REGISTRY.search(text):
                yield fault(name, number, "a registry's address: name the package, the client knows where it lies")


def test_folders(code):
    seen = set()
    for name in code.files:
        parts = name.split("/")
        if parts[0] != "tests" or len(parts) < 3 or parts[1] in seen:
            continue
        seen.add(parts[1])
        if parts[1] not in BELOW and parts[1] not in OTHER_TEST_FOLDERS:
            yield fault(name, 1, f"tests/{parts[1]} mirrors no room: move it, or list it in "
                        "tests/house/house_rules.py and say in ARCHITECTURE.md what it is")


RULES = [include_rule, caf_rule, heavy_headers, file_length, catalogue, counters_used, clocks, no_sleeps,
         logs_name_their_session, links, named_files, machine_traces, test_folders]
