"""Fills the demonstration with what is awkward, and holds the national files against the national schemas.

Nothing that should be in a file is missing: each convention and deliberation is in it, or is listed with a reason.
"""

import csv
import datetime
import io
import json
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from validata_core import validate

ADDRESS, FOLDER, SCHEMAS = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
COMMUNE = f"{ADDRESS}/v1/communes/62528"
TODAY = datetime.date.today().isoformat()
NAMES = [
    'Les "amis" ; du jardin, réunis',
    "Première ligne\nSeconde ligne",
    "Retour\r\nà la ligne",
    "=HYPERLINK(\"https://example.org\")",
    "+33 de Loos",
    "-12",
    "@voisins",
    "\tTabulation",
    "L’été à l’École — œuvre 🌳",
    "x" * 120,
    "'",
    "NULL",
]


def ask(method, url, body=None, token=None, form=None, **headers):
    data = urllib.parse.urlencode(form).encode() if form else body and json.dumps(body).encode()
    if body:
        headers["Content-Type"] = "application/merge-patch+json" if method == "PATCH" else "application/json"
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, data, {name.replace("_", "-"): value for name, value in headers.items()}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read().decode()
    except urllib.error.HTTPError as error:
        sys.exit(f"{method} {url}: {error.code} {error.read().decode()}")
    return json.loads(text) if "json" in answer.headers.get("Content-Type", "") else text


def token(person):
    form = {"grant_type": "password", "username": f"{person}@demo.example", "password": "cinquante-cinquante"}
    return ask("POST", f"{ADDRESS}/v1/auth/token", form=form)["access_token"]


AGENT, MAYOR = token("agent"), token("maire")


def luhn(digits):
    """These digits and the one that checks them."""
    total = sum((2 * int(d) - 9 * (int(d) > 4)) if i % 2 == 0 else int(d) for i, d in enumerate(reversed(digits)))
    return f"{digits}{-total % 10}"


def convention(number, name, holder, cents):
    """A convention in force, with help in kind."""
    made = ask("POST", f"{COMMUNE}/initiatives", {
        "title": "Jardinières", "theme": "living_environment", "description": "Des jardinières.",
        "holder": {"name": name, **holder}, "submit": True,
        "on_behalf": {"channel": "paper", "paper_reference": f"R{number}"},
        "commitments": [
            {"side": "commune", "kind": "material", "route": "in_kind", "title": "Jardinières", "due_on": "2027-05-15",
             "valuation": {"quantity": "1", "unit": "pièce", "unit_value_cents": cents, "method": "replacement_cost"}},
            {"side": "holder", "kind": "labour", "title": "Arrosage", "upkeep": {"starts_on": "2027-05-15", "ends_on": "2028-05-14"},
             "valuation": {"quantity": "6", "unit": "heure", "unit_value_cents": 1200, "method": "hourly_rate"}},
        ],
    }, AGENT)
    initiative = f"{ADDRESS}/v1/initiatives/{made['id']}"
    ask("POST", f"{initiative}/quick_accept", {
        "opinion": "Sans difficulté.", "reason": "Embellit la rue.",
        "convention": {"object": (name + " ; ") * 3, "starts_on": "2027-01-01", "ends_on": "2029-12-31", "sign": True,
                       "holder_signatory": {"person": {"full_name": "Jeanne Martin", "adult": True}, "capacity": "Présidente"}},
    }, MAYOR, If_Match="*")
    if ask("GET", initiative, token=AGENT)["published_at"] is None:
        ask("POST", f"{initiative}/publish", token=AGENT, If_Match="*")
    version = ask("GET", f"{initiative}/conventions", token=AGENT)["data"][0]["id"]
    path = f"{ADDRESS}/v1/conventions/{version}"
    content = ask("GET", path, token=AGENT)["content_sha256"]
    ask("POST", f"{path}/record_signature", {"party": "holder", "content_sha256": content, "signed_on": TODAY,
                                             "paper_reference": f"S{number}"}, AGENT, If_Match="*")
    return version


def deliberation(number, name, url):
    ask("POST", f"{COMMUNE}/authorities", {
        "kind": "deliberation" if number % 2 else "framework_deliberation", "number": name[:200], "adopted_on": "2026-06-10",
        "object": f"Objet : {name}", "subject": {"code": ["7.5", "1.1", "8.9", "7.10"][number % 4], "name": name[:200]},
        "budget": {"year": ["2026", "2026/2027", "2026/2026"][number % 3], "name": name[:200]},
        "sent_to_prefecture_on": "2026-06-11", "executory_on": "2026-06-12", "prefecture_reference": "PREF062",
        "votes": {"council_members": 27, "cast": 3, "in_favour": 3, "against": 0, "abstained": 0}, "url": url,
    }, MAYOR)


def rows(schema):
    text = ask("GET", f"{COMMUNE}/scdl/{schema}.csv")
    path = FOLDER / f"{schema}.csv"
    path.write_bytes(text.encode())
    return path, list(csv.DictReader(io.StringIO(text, newline="")))


def faults(schema, path):
    file = next(SCHEMAS.glob(f"{schema}-*.json"))
    report = validate(str(path), str(file))
    return report.flatten(["rowPosition", "fieldName", "code", "note"])


def check(before):
    for schema in ("subventions", "deliberations"):
        path, found = rows(schema)
        problems = faults(schema, path)
        if problems or len(found) <= before[schema]:
            sys.exit(f"{schema}: {len(found)} rows, {problems}")
        print(f"SCDL {schema}: {len(found)} rows, valid")
        before[schema] = len(found)
    return before


# The demonstration as it is, with a subsidy and a deliberation.
before = check({"subventions": 0, "deliberations": 0})

kept, left_out = [], []
for number, name in enumerate(NAMES):
    siret, rna = luhn(luhn(f"91{number:06}") + "0001"), f"W62{number:07}"
    digits = [{"siret": siret}, {"rna": rna}, {"siret": siret, "rna": rna}, {"siret": siret, "rna": f"W2A{number:07}"}][number % 4]
    holder = {"kind": "association", "republican_commitment_on": "2022-01-10", **digits}
    kept.append(convention(number, name, holder, 0 if number % 2 else 4501))
    deliberation(number, name, f"https://mairie.example/délib {number}|é.pdf?q=ä#é".replace(" ", "_"))
for number, (holder, reason) in enumerate([
    ({"kind": "collective"}, "no_legal_person"),
    ({"kind": "association", "republican_commitment_on": "2022-01-10"}, "no_number"),
    ({"kind": "association", "republican_commitment_on": "2022-01-10", "rna": "W2A0000001"}, "rna_not_of_the_schema"),
    ({"kind": "company", "siret": luhn(luhn("92000001") + "0001")}, "state_aid_unknown"),
], 100):
    left_out.append((convention(number, f"Porteur {number}", holder, 100), reason))

before = check(before)
listed = {row["id"]: row["obstacles"] for row in ask("GET", f"{COMMUNE}/scdl/left_out")["data"]}
for version, reason in left_out:
    if listed.get(version) != [reason]:
        sys.exit(f"{version} should be left out for {reason}: {listed.get(version)}")
wrong = [version for version in kept if version in listed]
if wrong:
    sys.exit(f"left out without need: {wrong}")

# A check that cannot fail is worth nothing.
path, found = rows("subventions")
path.write_text(path.read_text().replace("21620528600018", "21620528600010"))
if not faults("subventions", path):
    sys.exit("The validator takes a wrong SIRET.")
print(f"{len(left_out)} conventions are left out with the right reason.")
