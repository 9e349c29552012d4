"""A partner commune's own program: brings its history along, follows the feed, receives webhooks, keeps a copy equal.

    python partner.py import history.csv
    python partner.py follow
    python partner.py receive --listen 127.0.0.1:9000 --url https://partner.example/fifty-fifty
    python partner.py check

Each may be stopped or killed at any moment and started again. Settings are environment variables:

    API            where the server is
    COMMUNE        INSEE code of the commune
    CLIENT_ID      the client that an administrator made, with the scopes `import` and `webhooks`;
    CLIENT_SECRET  `follow` and `check` read what is public and need neither
    COPY           the file of the copy (SQLite)
"""

import argparse
import base64
import calendar
import collections
import csv
import io
import json
import os
import re
import sqlite3
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

COMMUNE = os.environ.get("COMMUNE", "62528")
HERE = f"/v1/communes/{COMMUNE}"


# The API


class Refused(Exception):
    """The API has said no, and why."""

    def __init__(self, status, problem):
        super().__init__(f"{status} {problem.get('code') or problem.get('error')}: {problem}")
        self.status, self.code = status, problem.get("code")


class Api:
    """The API over HTTP. What is public is read without a token, so that the copy holds nothing else."""

    def __init__(self):
        self.address = os.environ.get("API", "http://127.0.0.1:8080")
        self.access, self.renew_at = None, 0.0

    def token(self):
        # Renewed a minute before its end, so that it does not end under way.
        if time.monotonic() >= self.renew_at:
            program = f"{os.environ['CLIENT_ID']}:{os.environ['CLIENT_SECRET']}".encode()
            headers = {"Authorization": f"Basic {base64.b64encode(program).decode()}"}
            form = b"grant_type=client_credentials"
            answer = json.loads(self.send("POST", "/v1/auth/token", form, "application/x-www-form-urlencoded", headers))
            self.access, self.renew_at = answer["access_token"], time.monotonic() + answer["expires_in"] - 60
        return self.access

    def send(self, method, path, body=None, content_type="application/json", headers=None):
        """The body of the answer. While the server is away or busy, the same is sent again."""
        headers = {"Accept-Language": "fr", **(headers or {})}
        if body is not None:
            headers["Content-Type"] = content_type
        # A request that is sent again is not done again.
        if method == "POST":
            headers["Idempotency-Key"] = str(uuid.uuid4())
        request = urllib.request.Request(self.address + path, body, headers, method=method)
        for attempt in range(10):
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    return answer.read()
            except urllib.error.HTTPError as error:
                text = error.read()
                if error.code not in (429, 503):
                    is_json = "json" in error.headers.get("Content-Type", "")
                    raise Refused(error.code, json.loads(text) if is_json else {}) from None
                pause = int(error.headers.get("Retry-After", "1"))
            except OSError as error:
                pause = min(2**attempt, 30)
                print(f"{self.address}: {error}; again in {pause} s", file=sys.stderr, flush=True)
            time.sleep(pause)
        raise SystemExit(f"{self.address} does not answer.")

    def sign(self, method, path, body=None, content_type="application/json", headers=None):
        """Sends as the client of the commune."""
        signed = {**(headers or {}), "Authorization": f"Bearer {self.token()}"}
        try:
            return self.send(method, path, body, content_type, signed)
        except Refused as refused:
            # A token ends before its time with the secret that it was given for.
            if refused.status != 401:
                raise
            self.renew_at = 0.0
            return self.send(method, path, body, content_type, {**signed, "Authorization": f"Bearer {self.token()}"})

    def write(self, method, path, value, **headers):
        """Writes JSON as the client of the commune."""
        content_type = "application/merge-patch+json" if method == "PATCH" else "application/json"
        return json.loads(self.sign(method, path, json.dumps(value).encode(), content_type, headers))

    def read(self, path, send=None, **query):
        return json.loads((send or self.send)("GET", f"{path}?{urllib.parse.urlencode(query)}"))

    def every(self, path, send=None, **filters):
        """All items of a list, page by page."""
        query = {**filters, "limit": 100}
        while True:
            page = self.read(path, send, **query)
            yield from page["data"]
            if not page["has_more"]:
                return
            query["cursor"] = page["next_cursor"]

    def some(self, path):
        """What is at this path; nothing where nothing is public."""
        try:
            answer = self.read(path)
        except Refused as refused:
            if refused.status == 404:
                return []
            raise
        return answer["data"] if "data" in answer else [answer]


# import: what the commune did before

# The holders, by the numbers of the commune's own register.
HOLDERS = [
    {"external_id": "A-01", "kind": "association", "name": "Comité de la cité Belgique"},
    {"external_id": "A-02", "kind": "association", "name": "Les marcheurs du bassin"},
    {"external_id": "A-03", "kind": "association", "name": "Amicale des boulistes"},
    {"external_id": "A-04", "kind": "association", "name": "Les jardiniers de la fosse 12"},
    {"external_id": "E-01", "kind": "school", "name": "Coopérative de l'école Basly"},
]
MEETINGS = [
    {"external_id": "R-2013-11", "title": "Réunion sur le jardin des simples", "held_on": "2013-11-05",
     "attendance": 32, "initiative_external_id": "2013-03"},
    {"external_id": "R-2015-07", "title": "Réunion sur l'aire de jeux", "held_on": "2015-06-30",
     "attendance": 54, "initiative_external_id": "2015-03"},
]
# How the titles and words of history.csv are meant. "Description" and "Lieu" are known as they are.
MAPPING = {
    "resource": "initiatives",
    "columns": {
        "N° dossier": "external_id", "Intitulé": "title", "Domaine": "theme", "Porteur": "holder_external_id",
        "Reçu le": "submitted_on", "Délibération": "decided_on", "Fini le": "completed_on", "Arrêté le": "ended_on",
        "Suite donnée": "state",
    },
    "constants": {"published": "oui"},
    "words": {
        "holder_external_id": {holder["name"]: holder["external_id"] for holder in HOLDERS},
        "state": {"Terminé": "completed", "En cours": "in_progress", "Refusé": "refused", "Retiré": "withdrawn",
                  "Réorienté": "redirected", "Abandonné": "abandoned"},
    },
}
# What was mistyped, and what is called otherwise today.
WORDS = {"Termnié": "Terminé", "Voirie": "Mobilité"}


def corrected(cell):
    """A cell by our rule: words as above, years in full, and the last day of a month that has no such day."""
    if day := re.fullmatch(r"(\d\d)/(\d\d)/(\d\d|\d{4})", cell):
        number, month, year = int(day[1]), int(day[2]), int(day[3])
        year += 2000 if year < 100 else 0
        return f"{min(number, calendar.monthrange(year, month)[1]):02}/{month:02}/{year}"
    return WORDS.get(cell, cell)


def corrected_file(text):
    """The file of refused rows, corrected. Its last column, which says why, may stay: it is not read."""
    rows = csv.reader(io.StringIO(text), delimiter=";")
    file = io.StringIO()
    csv.writer(file, delimiter=";").writerows([corrected(cell) for cell in row] for row in rows)
    return file.getvalue()


def import_file(api, text):
    """Sends a file, waits for its end, and returns what was refused, as a file."""
    path = f"{HERE}/imports?resource=initiatives&mapping=history"
    job = json.loads(api.sign("POST", path, text.encode(), "text/csv"))
    while job["ended_at"] is None:
        time.sleep(0.5)
        job = api.read(f"/v1/imports/{job['id']}", api.sign)
    if job["state"] != "done":
        raise SystemExit(f"The import has ended as {job['state']}: {job['fault']}")
    counts = ", ".join(f"{job['rows_' + name]} {name}" for name in ("created", "updated", "unchanged", "refused"))
    print(f"history: {counts}; columns ignored: {', '.join(job['ignored_columns']) or 'none'}")
    if job["rows_refused"] == 0:
        return None
    return api.sign("GET", f"/v1/imports/{job['id']}/errors.csv").decode("utf-8-sig")


def upsert(api, resource, items):
    results = api.write("POST", f"{HERE}/bulk/{resource}", {"items": items})["data"]
    outcomes = collections.Counter(result["outcome"] for result in results)
    print(f"{resource}: {', '.join(f'{count} {outcome}' for outcome, count in outcomes.items())}")
    for result in results:
        if result["problem"]:
            raise SystemExit(f"{result['external_id']}: {result['problem']}")


def save_mapping(api):
    path = f"{HERE}/mappings/history"
    try:
        api.write("PUT", path, MAPPING)
    except Refused as refused:
        # It is there already. This program alone changes it, so whatever it says is replaced.
        if refused.status != 428:
            raise
        api.write("PUT", path, MAPPING, **{"If-Match": "*"})


def bring_history(api, file):
    # First what the others name.
    upsert(api, "holders", HOLDERS)
    save_mapping(api)
    with open(file, encoding="utf-8") as history:
        refused = import_file(api, history.read())
    if refused:
        for row in csv.DictReader(io.StringIO(refused), delimiter=";"):
            print(f"    {row['N° dossier']}: {row['erreurs']}")
        if import_file(api, corrected_file(refused)):
            raise SystemExit("Our rule does not correct everything.")
    upsert(api, "meetings", MEETINGS)
    # Whoever does not know whether it went through sends it again.
    upsert(api, "holders", HOLDERS)
    upsert(api, "meetings", MEETINGS)


# follow: a copy of what is public


def open_copy():
    copy = sqlite3.connect(os.environ.get("COPY", "copy.db"), timeout=60)
    copy.executescript("""
        PRAGMA journal_mode = WAL;
        CREATE TABLE IF NOT EXISTS copy (kind TEXT, id TEXT, resource TEXT NOT NULL, PRIMARY KEY (kind, id));
        -- `cursor`: how far in the feed the copy is. `webhook`, `secret`: the webhook that was made.
        CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value TEXT NOT NULL);
        CREATE TABLE IF NOT EXISTS seen (webhook_id TEXT PRIMARY KEY);
        -- What webhooks have told, for the journal of the town's own site.
        CREATE TABLE IF NOT EXISTS journal (number INTEGER PRIMARY KEY, webhook_id TEXT, type TEXT, at TEXT);
    """)
    return copy


def kept(copy, name):
    row = copy.execute("SELECT value FROM kept WHERE name = ?", (name,)).fetchone()
    return row and row[0]


def keep(copy, name, value):
    copy.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", (name, value))


def put(copy, kind, id, resource):
    copy.execute("INSERT OR REPLACE INTO copy VALUES (?, ?, ?)", (kind, id, json.dumps(resource, sort_keys=True)))


def snapshot(api):
    """Kind and id of everything that everybody may read of the commune, with what it says now."""
    found = {}

    def add(kind, items):
        found.update({(kind, item["id"]): item for item in items})

    for item in api.every("/v1/initiatives", commune=COMMUNE):
        path = f"/v1/initiatives/{item['id']}"
        add("initiative", api.some(path))
        add("evaluation", api.some(f"{path}/evaluation"))
        commitments = api.some(f"{path}/commitments")
        add("commitment", commitments)
        for commitment in commitments:
            add("fulfilment", api.some(f"/v1/commitments/{commitment['id']}/fulfilments"))
    add("convention", api.every("/v1/conventions", commune=COMMUNE))
    add("practice", api.every("/v1/practices", commune=COMMUNE))
    for kind in ("meeting", "measure", "holder"):
        add(kind, api.every(f"{HERE}/{kind}s"))
    return found


def begin(api, copy):
    """A new copy: first the place in the feed, then the lists. What changes in between comes twice, and may."""
    cursor = api.read(f"{HERE}/changes", after="now")["next_cursor"]
    found = snapshot(api)
    with copy:
        copy.execute("DELETE FROM copy")
        for (kind, id), resource in found.items():
            put(copy, kind, id, resource)
        keep(copy, "cursor", cursor)
    print(f"copied {len(found)}", flush=True)


def catch_up(api, copy, wait=0):
    """Takes over what has changed, until nothing is left. The changes and the cursor are one transaction."""
    while True:
        cursor = kept(copy, "cursor")
        if cursor is None:
            begin(api, copy)
            continue
        try:
            page = api.read(f"{HERE}/changes", after=cursor, wait=wait, limit=100)
        except Refused as refused:
            # The server has another key, or another past.
            if refused.code != "invalid_cursor":
                raise
            begin(api, copy)
            continue
        with copy:
            here = copy.execute("UPDATE kept SET value = ? WHERE (name, value) = ('cursor', ?)",
                                (page["next_cursor"], cursor))
            # Where another process follows too, one of them goes ahead, and this page is old.
            if here.rowcount == 0:
                continue
            for change in page["data"]:
                if change["resource"] is None:
                    copy.execute("DELETE FROM copy WHERE (kind, id) = (?, ?)", (change["kind"], change["id"]))
                else:
                    put(copy, change["kind"], change["id"], change["resource"])
        if not page["has_more"]:
            return


def follow(api, copy):
    while True:
        catch_up(api, copy, wait=30)


# receive: be told at once, instead of asking


def receiver(woken):
    class Receiver(BaseHTTPRequestHandler):
        timeout = 10

        def do_POST(self):
            size = int(self.headers.get("Content-Length", "0"))
            self.send_response(self.take(self.rfile.read(size)) if size <= 4_000_000 else 413)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def take(self, body):
            copy = open_copy()
            try:
                secret = kept(copy, "secret")
                if secret is None:
                    return 503
                event = Webhook(secret).verify(body, dict(self.headers))
                # Seen and written down are one transaction: neither twice nor never.
                with copy:
                    id = self.headers["webhook-id"]
                    if copy.execute("INSERT OR IGNORE INTO seen VALUES (?)", (id,)).rowcount == 1:
                        copy.execute("INSERT INTO journal (webhook_id, type, at) VALUES (?, ?, ?)",
                                     (id, event["type"], event["timestamp"]))
            except (WebhookVerificationError, ValueError):
                # The second is raised for what is no signature at all.
                return 400
            finally:
                copy.close()
            woken.set()
            return 204

        def log_message(self, *_):
            pass

    return Receiver


def register(api, copy, url):
    """Makes the webhook, unless it is there."""
    ours = [hook for hook in api.every(f"{HERE}/webhooks", api.sign) if hook["url"] == url]
    known = [hook for hook in ours if hook["id"] == kept(copy, "webhook")]
    for hook in ours:
        # Its secret was shown once: where this program was killed before it kept it, it is of no use.
        if hook not in known:
            api.sign("DELETE", f"/v1/webhooks/{hook['id']}", headers={"If-Match": "*"})
    if known:
        if known[0]["state"] == "disabled":
            api.write("PATCH", f"/v1/webhooks/{known[0]['id']}", {"state": "active"}, **{"If-Match": "*"})
        return
    kinds = ["initiative", "convention", "commitment", "fulfilment", "evaluation", "meeting", "measure", "holder",
             "practice"]
    made = api.write("POST", f"{HERE}/webhooks", {"url": url, "kinds": kinds, "description": "Copie"})
    with copy:
        keep(copy, "webhook", made["id"])
        keep(copy, "secret", made["secret"])


def receive(api, copy, listen, url):
    woken = threading.Event()
    host, port = listen.rsplit(":", 1)
    server = ThreadingHTTPServer((host, int(port)), receiver(woken))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    register(api, copy, url)
    print("receiving", flush=True)
    while True:
        # Before it reads, so that nothing that comes meanwhile is slept over.
        woken.clear()
        # A webhook brings what it tells, but in any order: the feed has the right one.
        catch_up(api, copy)
        # And where webhooks do not come through, the copy is five minutes late.
        woken.wait(300)


# check: is the copy what the API says?


def lasting(kind, resource):
    """Without what depends on the day alone, which is no change."""
    if resource and kind == "commitment":
        return {name: value for name, value in resource.items() if name not in ("is_late", "next_due_on", "kept_by")}
    return resource


def check(api, copy):
    public = snapshot(api)
    rows = copy.execute("SELECT kind, id, resource FROM copy")
    mine = {(kind, id): json.loads(resource) for kind, id, resource in rows}
    wrong = 0
    for kind, id in sorted(public.keys() | mine.keys()):
        theirs, ours = public.get((kind, id)), mine.get((kind, id))
        if lasting(kind, theirs) != lasting(kind, ours):
            wrong += 1
            print(f"{kind} {id}:", "not in the copy" if ours is None else "not public" if theirs is None else "differs")
    print(f"{len(public)} public, {len(mine)} in the copy, {wrong} differences")
    return wrong == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("import").add_argument("file")
    commands.add_parser("follow")
    webhook = commands.add_parser("receive")
    webhook.add_argument("--listen", default="127.0.0.1:9000", help="address and port of this machine")
    webhook.add_argument("--url", required=True, help="where the server finds it")
    commands.add_parser("check")
    arguments = parser.parse_args()
    api = Api()
    match arguments.command:
        case "import":
            bring_history(api, arguments.file)
        case "follow":
            follow(api, open_copy())
        case "receive":
            receive(api, open_copy(), arguments.listen, arguments.url)
        case "check":
            sys.exit(0 if check(api, open_copy()) else 1)


if __name__ == "__main__":
    main()
