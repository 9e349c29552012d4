"""A partner's program (examples/partner) among people: it imports, follows and receives while they change, unpublish and
delete things, and is killed again and again. In the end its copies are equal, and nothing was written down twice.

python life.py http://127.0.0.1:8080 FOLDER
"""

import csv
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ADDRESS, FOLDER = sys.argv[1], Path(sys.argv[2])
EXAMPLE = Path(__file__).parents[2] / "examples/partner"
PASSWORD = "cinquante-cinquante"
HERE = "/v1/communes/62528"
KILLS = 8
PATIENCE = 90


class Person:
    """Somebody with an account of the demonstration."""

    def __init__(self, email):
        form = {"grant_type": "password", "username": email, "password": PASSWORD}
        request = urllib.request.Request(f"{ADDRESS}/v1/auth/token", urllib.parse.urlencode(form).encode())
        with urllib.request.urlopen(request, timeout=60) as answer:
            self.token = json.load(answer)["access_token"]

    def send(self, method, path, body=None):
        content_type = "application/merge-patch+json" if method == "PATCH" else "application/json"
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": content_type}
        # What is put here is new.
        if method != "PUT":
            headers["If-Match"] = "*"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(ADDRESS + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise SystemExit(f"{method} {path}: {error.code} {error.read().decode()}") from None


class Partner:
    """The program with a copy of its own."""

    def __init__(self, name, client):
        self.copy = FOLDER / f"{name}.db"
        self.environment = {**os.environ, "API": ADDRESS, "COPY": str(self.copy), "CLIENT_ID": client["id"],
                            "CLIENT_SECRET": client["secret"]}
        self.process = None

    def command(self, *arguments):
        return [sys.executable, str(EXAMPLE / "partner.py"), *arguments]

    def run(self, *arguments):
        return subprocess.run(self.command(*arguments), env=self.environment, capture_output=True, text=True, timeout=300)

    def start(self, *arguments):
        with (FOLDER / f"{self.copy.stem}.log").open("a") as log:
            self.process = subprocess.Popen(self.command(*arguments), env=self.environment, stdout=log, stderr=log)

    def kill(self):
        ensure(self.process.poll() is None, f"{self.copy.stem} has ended by itself: {self.said()}")
        self.process.kill()
        ensure(self.process.wait() == -signal.SIGKILL, "it was killed")

    def said(self):
        return (FOLDER / f"{self.copy.stem}.log").read_text()

    def rows(self, query):
        copy = sqlite3.connect(self.copy, timeout=60)
        try:
            return copy.execute(query).fetchall()
        finally:
            copy.close()


def ensure(so, what):
    if not so:
        raise SystemExit(f"Not so: {what}")


def until(what, so):
    end = time.monotonic() + PATIENCE
    while not so():
        ensure(time.monotonic() < end, what)
        time.sleep(0.2)


def every(person, path):
    query, items = {"limit": 100}, []
    while True:
        page = person.send("GET", f"{path}{'&' if '?' in path else '?'}{urllib.parse.urlencode(query)}")
        items += page["data"]
        if not page["has_more"]:
            return items
        query["cursor"] = page["next_cursor"]


def imports(partner, agent):
    """The history comes in, whatever happens to the program meanwhile; a second time nothing is new."""
    history = EXAMPLE / "history.csv"
    for pause in (0.3, 0.8):
        partner.start("import", str(history))
        time.sleep(pause)
        partner.process.kill()
        partner.process.wait()
    first = partner.run("import", str(history))
    ensure(first.returncode == 0, first.stdout + first.stderr)
    print(first.stdout, end="")
    # Each of the mistakes is told, with the number of its row.
    for number in ("2014-02", "2015-02", "2015-03", "2017-01"):
        ensure(f"    {number}: " in first.stdout, f"{number} is refused")
    second = partner.run("import", str(history))
    ensure(second.returncode == 0, second.stdout + second.stderr)
    ensure(" created" not in second.stdout.replace(" 0 created", ""), second.stdout)
    with history.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    for row in rows:
        query = urllib.parse.urlencode({"commune": "62528", "external_id": row["N° dossier"]})
        found = agent.send("GET", f"/v1/initiatives?{query}")["data"]
        ensure([item["title"] for item in found] == [row["Intitulé"]], f"{row} is there once: {found}")
    print(f"{len(rows)} projects of the past are there.")


def live(agent, over):
    """Somebody at work: makes, changes, unpublishes, publishes and deletes, without end."""
    dice = random.Random(5050)
    published = [item for item in every(agent, "/v1/initiatives?commune=62528") if item["published_at"]]
    hidden, meetings, acts = [], [], 0
    while not over.is_set():
        acts += 1
        match dice.randrange(6):
            case 0:
                path = f"{HERE}/measures/essai_{acts}/2024"
                agent.send("PUT", path, {"value": str(acts), "unit": "essais", "source": "Essai"})
                if dice.random() < 0.5:
                    agent.send("DELETE", path)
            case 1 | 2:
                meeting = {"title": f"Réunion {acts}", "held_on": "2025-06-10"}
                meetings.append(agent.send("POST", f"{HERE}/meetings", meeting)["id"])
            case 3 if meetings:
                agent.send("PATCH", f"/v1/meetings/{dice.choice(meetings)}", {"attendance": acts})
            case 4 if meetings:
                agent.send("DELETE", f"/v1/meetings/{meetings.pop(dice.randrange(len(meetings)))}")
            case _ if len(hidden) > 2 and dice.random() < 0.5:
                agent.send("POST", f"/v1/initiatives/{hidden.pop()}/publish")
            case _ if published:
                hidden.append(published.pop(dice.randrange(len(published)))["id"])
                agent.send("POST", f"/v1/initiatives/{hidden[-1]}/unpublish", {"reason": "Essai"})
        time.sleep(0.01)
    ensure(hidden, "something stays unpublished")
    print(f"{acts} acts, {len(hidden)} initiatives stay unpublished.")


def main():
    admin, agent = Person("admin@demo.example"), Person("agent@demo.example")
    client = admin.send("POST", f"{HERE}/clients", {"name": "Site de la commune", "contact": "site@partner.example",
                                                    "scopes": ["import", "webhooks"]})
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/"
    partners = {
        Partner("follow", client): ["follow"],
        Partner("receive", client): ["receive", "--listen", f"127.0.0.1:{port}", "--url", url],
    }
    follower, receiver = partners
    if "--without-import" not in sys.argv:
        imports(follower, agent)

    over = threading.Event()
    # A thread of it keeps what went wrong in it.
    life = ThreadPoolExecutor().submit(live, agent, over)
    try:
        dice = random.Random(12)
        for partner, arguments in partners.items():
            partner.start(*arguments)
        for _ in range(KILLS):
            # In the midst of anything.
            time.sleep(dice.uniform(0.3, 1.5))
            partner = dice.choice(list(partners))
            partner.kill()
            partner.start(*partners[partner])
        over.set()
        life.result()
        hooks = every(agent, f"{HERE}/webhooks")
        ensure([hook["url"] for hook in hooks] == [url], f"one webhook: {hooks}")
        deliveries = f"/v1/webhooks/{hooks[0]['id']}/deliveries"
        until("all is told", lambda: not every(agent, f"{deliveries}?state=pending"))
        for partner in partners:
            until(f"the copy is equal: {partner.said()}", lambda: partner.run("check").returncode == 0)
            print(f"{partner.copy.stem}: {partner.run('check').stdout}", end="")

        # What was taken is written down, once.
        delivered = {event["id"] for event in every(agent, f"{deliveries}?state=delivered")}
        journal = [id for (id,) in receiver.rows("SELECT webhook_id FROM journal")]
        ensure(len(journal) == len(set(journal)), "an event is in the journal twice")
        ensure(delivered and delivered <= set(journal), f"not in the journal: {delivered - set(journal)}")
        # Also when it comes again.
        again = sorted(delivered)[:20]
        before = {id: agent.send("GET", f"/v1/webhook-deliveries/{id}")["last_attempt_at"] for id in again}
        for id in again:
            agent.send("POST", f"/v1/webhook-deliveries/{id}/replay")
        until("all is told again", lambda: not every(agent, f"{deliveries}?state=pending"))
        after = {id: agent.send("GET", f"/v1/webhook-deliveries/{id}") for id in again}
        twice = [id for id in again if after[id]["state"] == "delivered" and after[id]["last_attempt_at"] > before[id]]
        ensure(twice, "something was sent again")
        ensure(receiver.rows("SELECT count(*) FROM journal") == [(len(journal),)], "the journal has grown")
        print(f"{len(journal)} events are in the journal once each, {len(twice)} of them came again.")

        # What nobody signed is not taken.
        forged = urllib.request.Request(url, b'{"type": "measure.created"}', {
            "webhook-id": "forged", "webhook-timestamp": str(int(time.time())), "webhook-signature": "v1,AAAA"})
        try:
            urllib.request.urlopen(forged, timeout=10)
            raise SystemExit("A forged webhook was taken.")
        except urllib.error.HTTPError as error:
            ensure(error.code == 400, f"{error.code} for a forged webhook")
        # And the check finds a copy that is not equal.
        for wrong in ("DELETE FROM copy WHERE kind = 'holder' AND id = (SELECT min(id) FROM copy WHERE kind = 'holder')",
                      "UPDATE copy SET resource = '{}' WHERE kind = 'meeting' AND id = (SELECT min(id) FROM copy WHERE kind = 'meeting')",
                      "INSERT INTO copy VALUES ('measure', 'x', '{}')"):
            copy = sqlite3.connect(follower.copy, timeout=60)
            with copy:
                copy.execute(wrong)
            copy.close()
        found = follower.run("check")
        ensure(found.returncode == 1 and "3 differences" in found.stdout, f"three differences: {found.stdout}")
    finally:
        over.set()
        for partner in partners:
            if partner.process and partner.process.poll() is None:
                partner.process.kill()
                partner.process.wait()


main()
