"""What schemathesis cannot know by itself: who calls, which ids exist, and which rules our schemas do not say.

FUZZ_URL is the address of the program, FUZZ_ACCOUNT the account that calls; without one, nobody is signed in.
"""

import atexit
import random
import re
import sys
import zlib
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import schemathesis
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import TestPhase
from schemathesis.openapi.checks import MissingHeaderNotRejected, RejectedPositiveData

sys.path.append(str(Path(__file__).parent))
from village import CALLER, COMMUNE, NEIGHBOUR, TO_AGREE, Village, token

if CALLER:

    @schemathesis.auth(refresh_interval=600)
    class Caller:
        """Access tokens live for 15 minutes."""

        def get(self, case, context):
            return token(CALLER)

        def set(self, case, data, context):
            case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """`ignored_auth` passes over OAuth 2; what our flows end in is a bearer token."""
    for scheme in raw_schema["components"]["securitySchemes"].values():
        scheme |= {"type": "http", "scheme": "bearer"}


@schemathesis.serializer(
    "application/x-ndjson",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
)
def as_it_is(context, value):
    """A file is sent as it is."""
    return value if isinstance(value, bytes) else str(value).encode()


village = Village()
calls, succeeded = 0, set()
# Queries with a cursor that a list gave, by operation: cursors are sealed, and no other leads anywhere.
next_pages = {}

# What a member of a body refers to.
REFERENCES = {
    "authority_id": "authorities",
    "commitment_ids": "commitments",
    "follows_id": "initiatives",
    "holder_id": "holders",
    "host_id": "holders",
    "initiative_id": "initiatives",
    "initiative_ids": "initiatives",
    "inspired_by_practice_id": "practices",
    "mandate_id": "mandates",
    "user_id": "users",
}
# What is wanted of the resource in the path, where that is not the action that the path ends with.
WANTED = {
    "conventions": TO_AGREE,
    "evaluation": "evaluate",
    "fulfilments": "record_fulfilment",
    "recusals": "recuse",
}
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_id(value):
    return isinstance(value, str) and UUID.fullmatch(value) is not None


def real_path(case, draw):
    """The path with real ids in the place of most of its own; what is no id stays as wrong as it is."""
    path = dict(case.path_parameters or {})
    parts = case.operation.path.split("/")
    linked = case.meta.phase.name == TestPhase.STATEFUL and village.knows(path.get("id"))
    if is_id(path.get("id")) and not linked and draw.random() < 0.9:
        new = case.method == "POST" and parts[-1] == "evaluation"
        kind = "evaluations" if "evaluation" in parts and not new else parts[2]
        wanted = "update" if case.method == "PATCH" else WANTED.get(parts[-1], parts[-1])
        if village.ids[kind]:
            path["id"] = village.draw(kind, draw, "manage_members" if "members" in parts else wanted)
    if is_id(path.get("user_id")) and draw.random() < 0.9:
        path["user_id"] = village.draw("users", draw)
    if "code" in path and draw.random() < 0.8:
        path["code"] = draw.choice([COMMUNE, COMMUNE, COMMUNE, NEIGHBOUR])
    if "indicator" in path and village.measures and draw.random() < 0.6:
        path["code"], path["indicator"], path["year"] = draw.choice(village.measures)
    return path


def real_body(name, value, draw):
    """The same for a body; of two members that exclude each other it keeps one."""
    if isinstance(value, list):
        return [real_body(name, inner, draw) for inner in value]
    if isinstance(value, dict):
        if {"user_id", "person"} <= value.keys() and draw.random() < 0.8:
            value = {member: inner for member, inner in value.items() if member != "person"}
        return {member: real_body(member, inner, draw) for member, inner in value.items()}
    if name in REFERENCES and is_id(value) and draw.random() < 0.8:
        return village.draw(REFERENCES[name], draw)
    return value


@schemathesis.hook
def before_add_examples(context, examples):
    """The examples of the document are cases too."""
    for case in examples:
        map_case(context, case)


@schemathesis.hook
def map_case(context, case):
    """Random ids find nothing and random tags match nothing: most cases get what is there."""
    global calls
    calls += 1
    # The same case is changed in the same way whenever it is made.
    content = repr((case.operation.label, case.path_parameters, dict(case.query or {}), case.body))
    seed = zlib.crc32(content.encode(errors="replace"))
    draw = random.Random(seed)
    path = real_path(case, draw)
    if path != (case.path_parameters or {}):
        case.path_parameters = path
    if isinstance(case.body, (dict, list)):
        body = real_body("", case.body, draw)
        if isinstance(body, dict) and "content_sha256" in body and draw.random() < 0.9:
            body["content_sha256"] = village.hashes.get(path.get("id"), body["content_sha256"])
        if body != case.body:
            case.body = body
    headers = case.headers or {}
    if "If-Match" in headers and draw.random() < 0.9:
        headers["If-Match"] = "*"
    if len(headers.get("Idempotency-Key", "")) in range(1, 200) and draw.random() < 0.9:
        # Else the same key would come back with another body, and nothing would happen.
        headers["Idempotency-Key"] = f"{seed}-{calls}"
    pages = next_pages.get(case.operation.label)
    # A query that is wrong on purpose stays so.
    wrong = case.meta.is_negative_at(ParameterLocation.QUERY)
    if pages and "cursor" in (case.query or {}) and not wrong and draw.random() < 0.5:
        case.query = draw.choice(pages)
    # Nobody waits for half a minute, some thousand times.
    if "wait" in (case.query or {}) and not wrong:
        case.query = {**case.query, "wait": 0}
    return case


@schemathesis.hook
def after_call(context, case, response):
    """Remembers cursors, what became of what, and what succeeded."""
    if response.status_code < 300 and case.method == case.operation.method.upper():
        succeeded.add(case.operation.definition.raw["operationId"])
    path = case.operation.path.replace("evaluation", "evaluations")
    kinds = [part for part in path.split("/") if part in village.ids]
    if response.status_code in (200, 201) and case.method != "GET" and kinds:
        made = response.json()
        if "id" in made and "allowed_actions" in made:
            village.keep(kinds[-1], [made])
            if kinds == ["initiatives", "conventions"]:
                village.ids["initiatives"][case.path_parameters["id"]].discard(TO_AGREE)
    for link in response.headers.get("link", []):
        following = re.search(r'<([^>]*)>; rel="next"', link)
        if following:
            pages = next_pages.setdefault(case.operation.label, [])
            pages.append(dict(parse_qsl(urlsplit(following[1]).query)))
            del pages[:-20]


# Problems that a request can meet although each of its parts follows its schema.
UNSAID = {"invalid_cursor", "idempotency_mismatch"}
# Faults that our schemas do not say: two parts that do not go together, a reference to nothing, NUL in a text, which
# docs/api/limits.md says once for all.
UNSAID_FAULTS = {"inconsistent", "not_found", "forbidden_character"}
# The same, of one part: by operation, place and code.
UNSAID_THERE = {
    # An empty file.
    ("POST /v1/initiatives/{id}/documents", "#", "too_short"),
    ("POST /v1/meetings/{id}/documents", "#", "too_short"),
    ("POST /v1/communes/{code}/imports", "#", "too_short"),
    # One must be 15; a meeting, a signature and a deed have been.
    ("POST /v1/accounts", "#/birth_on", "out_of_range"),
    ("POST /v1/communes/{code}/meetings", "#/held_on", "out_of_range"),
    ("POST /v1/communes/{code}/meetings", "#/attendance", "inconsistent"),
    ("PATCH /v1/meetings/{id}", "#/held_on", "out_of_range"),
    ("PATCH /v1/meetings/{id}", "#/attendance", "inconsistent"),
    ("POST /v1/conventions/{id}/record_signature", "#/signed_on", "out_of_range"),
    ("POST /v1/commitments/{id}/fulfilments", "#/done_on", "out_of_range"),
    ("POST /v1/communes/{code}/authorities", "#/adopted_on", "out_of_range"),
    ("POST /v1/communes/{code}/authorities", "#/sent_to_prefecture_on", "out_of_range"),
    ("POST /v1/communes/{code}/authorities", "#/published_on", "out_of_range"),
    ("PATCH /v1/authorities/{id}", "#/adopted_on", "out_of_range"),
    ("PATCH /v1/authorities/{id}", "#/sent_to_prefecture_on", "out_of_range"),
    ("PATCH /v1/authorities/{id}", "#/published_on", "out_of_range"),
    ("PATCH /v1/holders/{id}/subsidies/{year}", "#/published_on", "out_of_range"),
    ("PATCH /v1/holders/{id}/subsidies/{year}", "#/report_received_on", "out_of_range"),
    # A public https address.
    ("POST /v1/communes/{code}/webhooks", "#/url", "bad_format"),
    ("PATCH /v1/webhooks/{id}", "#/url", "bad_format"),
    # A moment to come.
    ("POST /v1/communes/{code}/clients", "#/expires_at", "out_of_range"),
    ("PATCH /v1/clients/{id}", "#/expires_at", "out_of_range"),
    # A deliberation has a matter.
    ("POST /v1/communes/{code}/authorities", "#/subject", "required"),
    ("PATCH /v1/authorities/{id}", "#/subject", "required"),
    # A renewal ends after the version that it renews.
    ("POST /v1/conventions/{id}/renew", "#/ends_on", "out_of_range"),
    # What the commitment is fulfilled in.
    ("POST /v1/commitments/{id}/fulfilments", "#/quantity", "required"),
    ("POST /v1/commitments/{id}/fulfilments", "#/amount_cents", "required"),
    ("POST /v1/commitments/{id}/fulfilments", "#/quantity", "out_of_range"),
    # A day of the upkeep, and a period that does not end before it begins.
    ("POST /v1/commitments/{id}/hand_overs", "#/starts_on", "out_of_range"),
    ("POST /v1/commitments/{id}/checks", "#/occurs_on", "out_of_range"),
    ("GET /v1/commitments/{id}/occurrences", "to", "out_of_range"),
    # Decided on paper after the opinion, and not tomorrow.
    ("POST /v1/initiatives/{id}/record_decision", "#/decided_on", "out_of_range"),
    ("POST /v1/initiatives/{id}/record_quick_accept", "#/decided_on", "out_of_range"),
    # Needed while the upkeep is not over.
    ("POST /v1/commitments/{id}/end_upkeep", "#/reason", "required"),
    # A draft may be incomplete; it is complete when it is submitted.
    ("POST /v1/initiatives/{id}/submit", "#/description", "required"),
    ("POST /v1/initiatives/{id}/submit", "#/holder_id", "required"),
    ("POST /v1/initiatives/{id}/submit", "#/theme", "required"),
    # A draft of a sheet too; it is complete when it is published, and stays so. Each tag once.
    *(
        (operation, f"#/{text}", "required")
        for operation in ("POST /v1/practices/{id}/publish", "PATCH /v1/practices/{id}")
        for text in ("theme", "participation_level", "context", "objectives", "approach", "results", "contact")
    ),
    ("POST /v1/communes/{code}/practices", "#/tags", "repeated"),
    ("PATCH /v1/practices/{id}", "#/tags", "repeated"),
    # A point of the earth, and a distance from something.
    ("GET /v1/practices", "near", "out_of_range"),
    ("GET /v1/practices", "near", "required"),
    ("GET /v1/practices.{format}", "near", "out_of_range"),
    ("GET /v1/practices.{format}", "near", "required"),
    # Each age band once.
    ("PUT /v1/initiatives/{id}/headcounts/{day}", "#/counts", "repeated"),
    ("POST /v1/initiatives/{id}/evaluation", "#/people", "repeated"),
    ("PATCH /v1/initiatives/{id}/evaluation", "#/people", "repeated"),
    # Years that have begun, in order.
    ("GET /v1/metrics", "from", "out_of_range"),
    ("GET /v1/communes/{code}/metrics/comparison", "year", "out_of_range"),
    # A balance is no target: the residents' share is not compared.
    ("GET /v1/communes/{code}/metrics/comparison", "indicators", "inconsistent"),
    ("GET /v1/metrics", "to", "out_of_range"),
    ("GET /v1/communes/{code}/metrics/chart.svg", "from", "out_of_range"),
    ("GET /v1/communes/{code}/metrics/chart.svg", "to", "out_of_range"),
} | {
    # Ranges of addresses.
    (operation, f"#/address_ranges/{place}", "bad_format")
    for operation in ("POST /v1/communes/{code}/clients", "PATCH /v1/clients/{id}")
    for place in range(20)
}


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Whether a failure counts. A request that follows the schema may be refused for what no schema of ours says."""
    # Of many items each is judged alone, in its place.
    if isinstance(failure, AcceptedNegativeData) and response.status_code == 207:
        return not any(item["outcome"] == "refused" for item in response.json()["data"])
    if isinstance(failure, (AcceptedNegativeData, MissingHeaderNotRejected)):
        # The answer to an earlier request is no judgement of this one.
        return not response.headers.get("idempotency-replayed")
    # Which bytes are a file that is taken, and whether a range is within it, no schema can say.
    if isinstance(failure, RejectedPositiveData) and response.status_code in (415, 416):
        return case.operation.definition.raw["operationId"] not in (
            "upload_document",
            "upload_meeting_document",
            "get_document_file",
        )
    if not isinstance(failure, RejectedPositiveData) or response.status_code not in (400, 422):
        return True
    problem = response.json()
    # An error of OAuth's is not in question here: the check knows token endpoints.
    code = problem.get("code", "")
    if code in UNSAID or (code == "invalid_query" and "%00" in response.request.url):
        return False
    faults = [(case.operation.label, fault["pointer"], fault["code"]) for fault in problem.get("errors", [])]
    return not faults or any(fault[2] not in UNSAID_FAULTS and fault not in UNSAID_THERE for fault in faults)


@atexit.register
def report():
    print(f"succeeded: {' '.join(sorted(succeeded))}")
    for reason, times in village.refused.items():
        print(f"A new initiative got stuck {times} times: {reason}")
