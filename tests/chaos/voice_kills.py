#!/usr/bin/env python3
"""Kills the real server with SIGKILL while a visitor speaks, before the words are known, and while the answer is
spoken; restarts it, lets the client come back with what was not acknowledged, and reads the journal: every sentence
is in the history once, and answered.

  voice_kills.py BINARY [--rounds N] [--report FILE]

Needs flite, sox and the speech models. Prints a table, then "N passed, M failed".
"""
import argparse
import os
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from support import KEY, Journal, Server, items, lost, of, unsettled, until, write_app  # noqa: E402
from support_device import Device  # noqa: E402
from support_sound import length_ms, speech, word_errors, words  # noqa: E402

# Whole words may be misheard; a sentence that is missing, or there twice, is far beyond.
WRONG_MOST = 0.34
APP = {
    "app": "kills",
    "checklist": {"topics": [{"id": "name", "type": "person_name"}, {"id": "home", "type": "text"}]},
    "models": {"conversation": ["rules"], "analyzer": ["rules"]},
    "live": {"access": {"server_keys": ["${env:KILLS_KEY}"]}},
}
SENTENCES = ("My name is Anna Miller and I live near the old station.",
             "We would like to move from London to Berlin in the spring.",
             "The piano is heavy, so please send more people.")


def half_heard(device, begin, sound):
    device.heard_to(begin + length_ms(sound, device.rate) // 2)


def shown(kind):
    def wait(device, begin, sound):
        device.wait(kind, since=device.said_at)
    return wait


MOMENTS = {
    "in the middle of the sentence": half_heard,
    "its end was decided": shown("input_audio_buffer.speech_stopped"),
    "it stands in the journal": shown("input_audio_buffer.committed"),
    "its words are known": shown("conversation.item.input_audio_transcription.completed"),
    "the answer is spoken": shown("response.output_audio.delta"),
}


class Kills:
    def __init__(self, binary, folder):
        self.server = Server(binary, write_app(folder, APP), str(folder / "data"), env={"KILLS_KEY": KEY})
        self.journal = Journal(self.server.data)
        self.rows, self.faults = [], []
        self.server.start()

    def one(self, moment, round_number):
        device = Device(self.server, "kills")
        try:
            device.start()
            said = SENTENCES[round_number % len(SENTENCES)]
            sound = speech(said, device.rate)
            device.said_at = device.mark()
            begin = device.say(sound)
            MOMENTS[moment](device, begin, sound)
            self.server.kill()
            killed = time.monotonic()
            self.server.start()
            device.connect()
            events = until(lambda: self.settled(device.session, said), f"{moment}: the sentence to be answered")
            self.judge(moment, said, events, time.monotonic() - killed)
        except AssertionError as why:
            self.faults.append(f"{moment}: {why}; " + str(self.user_texts(self.journal.events(device.session))))
        finally:
            device.close()

    @staticmethod
    def user_texts(events):
        removed = {e["id"] for e in of(events, "item.removed")}
        heard = {e["item"]: e.get("text", "") for e in of(events, "input.transcribed")}
        spoken = [e["item"] for e in of(events, "input.speech") if e["item"] not in removed]
        return [heard.get(item, "") for item in spoken]

    def settled(self, session, said):
        events = self.journal.events(session)
        if unsettled(events) or not any(self.user_texts(events)):
            return None
        speeches = {e["item"] for e in of(events, "input.speech")}
        if speeches - {e["item"] for e in of(events, "input.transcribed")} - {e["id"] for e in of(events, "item.removed")}:
            return None
        # All of it, however many utterances it became, and an answer behind it.
        if len(words(" ".join(self.user_texts(events)))) < len(words(said)) - 3:
            return None
        done = [e for e in of(events, "response.done") if e["status"] == "completed"]
        return events if done else None

    def judge(self, moment, said, events, seconds):
        texts = [text for text in self.user_texts(events) if words(text)]
        wrong = word_errors(said, " ".join(texts))
        if wrong > WRONG_MOST:
            self.faults.append(f"{moment}: said {said!r}, the history has {texts}")
        for fault in lost(events):
            self.faults.append(f"{moment}: {fault}")
        answers = [i for i in items(events, "message") if i.get("role") == "assistant" and i.get("text")]
        if not answers:
            self.faults.append(f"{moment}: nobody answered")
        self.rows.append([moment, str(len(texts)), f"{100 * wrong:.0f} %", str(len(answers)), f"{seconds:.1f} s"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--report")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sidevoice-voice-kills-") as folder:
        kills = Kills(args.binary, pathlib.Path(folder))
        try:
            for round_number in range(args.rounds):
                for moment in MOMENTS:
                    kills.one(moment, round_number)
        finally:
            if kills.server.process and kills.server.process.poll() is None:
                kills.server.stop()
    head = ["killed when", "utterances with words", "words wrong", "answers", "kill to the end of the answer"]
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    lines += ["| " + " | ".join(row) + " |" for row in kills.rows]
    print("\n".join(lines))
    for fault in kills.faults:
        print("VIOLATION:", fault)
    if args.report:
        with open(args.report, "w", encoding="utf-8") as out:
            out.write(f"Command: `tests/chaos/voice_kills.py sidevoice --rounds {args.rounds}`; load average "
                      f"{os.getloadavg()[0]:.2f} on {os.cpu_count()} cores.\n\n" + "\n".join(lines)
                      + f"\n\nViolations: {len(kills.faults)}\n" + "".join(f"- {f}\n" for f in kills.faults))
    total = args.rounds * len(MOMENTS)
    failed = min(len(kills.faults), total)
    print(f"{total - failed} passed, {failed} failed")
    return 1 if kills.faults else 0


if __name__ == "__main__":
    sys.exit(main())
