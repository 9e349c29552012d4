"""Runs the examples of documents, as a reader would paste them.

Each document's blocks of one language are one script, and a `text` block is all that the block before it prints, where
`…` stands for anything. The address of the API is in the environment variable API. The shell's blocks come first, since
they install what the others need.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

LANGUAGES = {
    # language: the file, the line that separates blocks, and what runs it
    "sh": ("example.sh", "echo {!r}", [["bash", "example.sh"]]),
    "ts": (
        "example.mts",
        "console.log({!r});",
        [
            ["npx", "tsc", "--noEmit", "--strict", "--noUncheckedIndexedAccess", "--target", "es2022",
             "--module", "nodenext", "--types", "node", "example.mts"],
            ["npx", "tsx", "example.mts"],
        ],
    ),
    "python": ("example.py", "print({!r}, flush=True)", [["python3", "example.py"]]),
}
MARK = "---- block {} ----"


class Block:
    def __init__(self, language, line):
        self.language, self.line, self.code, self.expected = language, line, [], None


def blocks(text):
    """The blocks that run, each with what it is expected to print."""
    found, fence, last = [], None, None
    for number, line in enumerate(text.splitlines(), 1):
        if fence is None:
            if line.startswith("```"):
                fence = Block(line[3:].strip(), number)
        elif line != "```":
            fence.code.append(line)
        else:
            if fence.language in LANGUAGES:
                found.append(fence)
                last = fence
            elif fence.language == "text" and last is not None and last.expected is None:
                last.expected = fence.code
            else:
                sys.exit(f"line {fence.line}: neither an example nor what one prints")
            fence = None
    if fence is not None:
        sys.exit(f"line {fence.line}: a block without an end")
    return found


def pattern(lines):
    """An answer of the API ends without the end of a line."""
    return "\n".join(".*".join(map(re.escape, line.split("…"))) for line in lines) + "\n?"


def run(document, language, chosen):
    name, separator, commands = LANGUAGES[language]
    script = ["set -euo pipefail"] if language == "sh" else []
    for number, block in enumerate(chosen):
        script += [separator.format(MARK.format(number)), *block.code]
    Path(name).write_text("\n".join(script) + "\n", encoding="utf-8")
    for command in commands:
        ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=300)
        if ended.returncode != 0:
            sys.exit(f"{document}: {' '.join(command)} ended with {ended.returncode}\n{ended.stdout}")
    printed = re.split(r"---- block \d+ ----\n", ended.stdout)[1:]
    if len(printed) != len(chosen):
        sys.exit(f"{document}: {len(printed)} of {len(chosen)} blocks of {language} were run")
    checked = 0
    for block, said in zip(chosen, printed):
        if block.expected is None:
            continue
        checked += 1
        if not re.fullmatch(pattern(block.expected), said):
            sys.exit(f"{document}, line {block.line}: printed\n{said}\nand not\n" + "\n".join(block.expected))
    print(f"{document}: {len(chosen)} blocks of {language}, {checked} of them with what they print")
    return checked


def main():
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    total = 0
    for document in sys.argv[1:]:
        found = blocks(Path(document).read_text(encoding="utf-8"))
        for language in LANGUAGES:
            chosen = [block for block in found if block.language == language]
            if chosen:
                total += run(Path(document).name, language, chosen)
    if total == 0:
        sys.exit("no example shows what it prints")


main()
