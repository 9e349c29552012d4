"""One line about a run, from the report of schemathesis; fails unless every operation was tried and nothing was found."""

import json
import sys

report = json.load(open(sys.argv[1]))
cases, operations = report["test_cases"], report["operations"]
found = cases["unique_failures"] + len(report["errors"])
print(
    f"{sys.argv[2]}: {cases['generated']} cases at {operations['tested']} operations in {report['running_time']:.0f} s, "
    f"{found} findings"
)
complete = report["complete"] and 0 < operations["tested"] == operations["total"] and cases["generated"] > 0
sys.exit(0 if complete and found == 0 and report["exit_code"] == 0 else 1)
