"""Holds what the tests of the API saw against the document: a status that no test has met may be a promise that cannot be
kept.

statuses.py DOCUMENT SEEN   SEEN has a line for each operation and status: METHOD TEMPLATE STATUS
"""

import json
import sys
from pathlib import Path

# Statuses that no test can bring about at every operation, and why.
EXCUSED = {
    "429": "so many passwords at once that the server is busy with them: how many that is, depends on the machine",
    "503": "no connection to the database is free, or a lock is held for too long",
}


def answers(document):
    for template, item in document["paths"].items():
        for method, operation in item.items():
            for status in operation["responses"]:
                yield f"{method.upper()} {template} {status}"


listed = set(answers(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
seen = set(Path(sys.argv[2]).read_text(encoding="utf-8").splitlines())

missed = sorted(answer for answer in listed - seen if answer.split()[-1] not in EXCUSED)
unlisted = sorted(seen - listed)
for answer in missed:
    print(f"in the document, and no test has seen it: {answer}")
for answer in unlisted:
    print(f"seen, and not in the document: {answer}")
if missed or unlisted:
    sys.exit(1)
excused = sum(answer.split()[-1] in EXCUSED for answer in listed - seen)
print(f"{len(listed & seen)} of {len(listed)} answers in the document were seen; {excused} need not be.")
