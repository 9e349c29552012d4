"""The demonstration as schemathesis finds it: what there is, and initiatives at every stage of their life to act on."""

import collections
import datetime
import os
import time

import requests

URL = os.environ["FUZZ_URL"]
# The account that calls; without one, nobody is signed in.
CALLER = os.environ.get("FUZZ_ACCOUNT", "")
# How often an initiative is brought to a stage because nothing is left there.
LIVES = int(os.environ.get("FUZZ_LIVES", "3"))
PASSWORD = "cinquante-cinquante"
COMMUNE, NEIGHBOUR = "62528", "62386"
ACCOUNTS = [f"{name}@demo.example" for name in ("agent", "maire", "agriculteur", "habitante", "voisin")]


def token(account):
    form = {"grant_type": "password", "username": account, "password": PASSWORD}
    answer = requests.post(f"{URL}/v1/auth/token", data=form, timeout=30)
    answer.raise_for_status()
    return answer.json()["access_token"]


class Refused(Exception):
    """A step of a life that the API does not take."""


class Person:
    def __init__(self, account):
        self.account, self.session, self.signs_in_at = account, requests.Session(), 0

    def send(self, method, path, **what):
        # Access tokens live for 15 minutes.
        if self.account and time.monotonic() > self.signs_in_at:
            self.session.headers["Authorization"] = f"Bearer {token(self.account)}"
            self.signs_in_at = time.monotonic() + 600
        return self.session.request(method, f"{URL}{path}", timeout=30, **what)

    def get(self, path):
        """What is there, or nothing when this person may not read it."""
        answer = self.send("GET", path)
        return answer.json() if answer.ok else {}

    def data(self, path):
        return self.get(path).get("data", [])

    def upload(self, path):
        file = {"params": {"name": "bancs.txt", "purpose": "photo"}, "data": "Des bancs à l'ombre.".encode()}
        answer = self.send("POST", f"{path}/documents", headers={"Content-Type": "application/octet-stream"}, **file)
        if not answer.ok:
            raise Refused(f"{answer.status_code} {answer.json()['detail']}")

    def post(self, path, body=None):
        answer = self.send("POST", path, json=body, headers={"If-Match": "*"})
        if not answer.ok:
            raise Refused(f"{answer.status_code} {answer.json()['detail']}")
        return answer.json()


def day(days):
    return (datetime.date.today() + datetime.timedelta(days=days)).isoformat()


def life(agent, mayor, citizen, neighbour, newcomer):
    """One initiative with its holder, from draft to closed: stops after each step, and says where it is."""
    group = {"kind": "collective", "name": "Les voisins"}
    holder = citizen.post(f"/v1/communes/{COMMUNE}/holders", group)["id"]
    idea = {"title": "Des bancs", "description": "Pour s'asseoir.", "theme": "living_environment", "holder_id": holder}
    path = "/v1/initiatives/" + citizen.post(f"/v1/communes/{COMMUNE}/initiatives", idea)["id"]
    yield path
    citizen.post(f"{path}/submit")
    yield path
    agent.post(f"{path}/start_review", {})
    citizen.upload(path)
    agent.upload(path)
    neighbour.post(f"/v1/holders/{holder}/join")
    yield path
    agent.post(f"{path}/request_changes", {"message": "Où donc ?"})
    yield path
    citizen.post(f"{path}/resubmit")
    yield path
    opinion = {"outcome": "favourable", "text": "Faisable."}
    agent.post(f"{path}/give_opinion", opinion)
    yield path
    mayor.post(f"{path}/refuse", {"reason": "Trop cher."})
    yield path
    agent.post(f"{path}/reopen", {"reason": "Un don."})
    agent.post(f"{path}/give_opinion", opinion)
    yield path
    mayor.post(f"{path}/accept", {"reason": "Utile."})
    citizen.post(f"/v1/holders/{holder}/members/{neighbour.get('/v1/me')['id']}/accept", {})
    yield path
    work = {"quantity": "10", "unit": "heure", "unit_value_cents": 1500, "method": "hourly_rate"}
    labour = {"kind": "labour", "title": "Travail", "valuation": work}
    once = labour | {"due_on": day(30)}
    upkeep = labour | {"upkeep": {"starts_on": day(0), "ends_on": day(300)}}
    given = agent.post(f"{path}/commitments", once | {"side": "commune", "route": "in_kind"})["id"]
    owed = [citizen.post(f"{path}/commitments", terms | {"side": "holder"})["id"] for terms in (once, upkeep)]
    yield path
    citizen.post(f"/v1/commitments/{given}/accept")
    for commitment in owed:
        agent.post(f"/v1/commitments/{commitment}/accept")
    yield path
    parties = {
        "commune": {"mandate_id": mayor.get("/v1/me")["mandates"][0]["id"]},
        "holder": {"user_id": citizen.get("/v1/me")["id"], "capacity": "Pour les voisins"},
    }
    terms = {"object": "Des bancs", "starts_on": day(0), "ends_on": day(365), "parties": parties}
    terms["long_duration_reason"] = "Le temps de les user."
    convention = "/v1/conventions/" + agent.post(f"{path}/conventions", terms)["id"]
    yield path
    content = {"content_sha256": agent.post(f"{convention}/open_for_signature")["content_sha256"]}
    yield path
    citizen.post(f"{convention}/sign", content)
    yield path
    mayor.post(f"{convention}/sign", content)
    yield path
    done = {"done_on": day(0), "evidence": "Carnet de chantier", "quantity": "10"}
    first = agent.post(f"/v1/commitments/{given}/fulfilments", done)["id"]
    second = citizen.post(f"/v1/commitments/{owed[0]}/fulfilments", done)["id"]
    yield path
    citizen.post(f"/v1/fulfilments/{first}/dispute", {"reason": "Il en manque."})
    agent.post(f"/v1/fulfilments/{second}/acknowledge")
    yield path
    mayor.post(f"/v1/fulfilments/{first}/settle", {"acknowledge": True, "reason": "Vu sur place."})
    yield path
    newcomer.post(f"/v1/holders/{holder}/join")
    agent.post(f"{path}/complete")
    yield path
    costs = {
        "reference_cost_cents": 100000,
        "municipal_cost_cents": 30000,
        "staff_minutes": 60,
        "staff_cost_cents": 3000,
    }
    source = {"method": "Devis", "source": "Ville de Loos-en-Gohelle"}
    agent.post(f"{path}/evaluation", {"summary": "Dix bancs."} | costs | source)
    yield path
    citizen.post(f"{path}/evaluation/agree")
    yield path
    mayor.post(f"{path}/evaluation/validate")
    yield path


# What an initiative is that has been accepted and has no convention yet.
TO_AGREE = "to_agree"


class Village:
    """Ids of what there is in the communes of the demonstration, and what the caller may do with it.

    An evaluation goes by the id of its initiative, as in the paths.
    """

    KINDS = (
        "initiatives", "conventions", "commitments", "fulfilments", "evaluations",
        "holders", "meetings", "mandates", "authorities", "users", "documents",
        "hand_overs", "convention-templates", "webhooks", "webhook-deliveries", "practices", "clients", "imports",
    )  # fmt: skip

    def __init__(self):
        self.caller = Person(CALLER)
        self.people = agent, *_ = [Person(account) for account in ACCOUNTS]
        self.ids = {kind: {} for kind in self.KINDS}
        self.hashes, self.measures = {}, []
        for commune in (COMMUNE, NEIGHBOUR):
            for kind in ("holders", "meetings", "mandates", "authorities"):
                self.keep(kind, agent.data(f"/v1/communes/{commune}/{kind}?limit=100"))
            for measure in agent.data(f"/v1/communes/{commune}/measures?limit=100"):
                self.measures.append((commune, measure["indicator"], measure["year"]))
            self.keep("convention-templates", agent.data(f"/v1/communes/{commune}/convention-templates?limit=100"))
        # A commune has twenty at most, and earlier callers may have made them all.
        hooks, hook = f"/v1/communes/{COMMUNE}/webhooks", {"url": "https://partner.example/hook", "kinds": ["measure"]}
        webhooks = agent.data(hooks) or [agent.post(hooks, hook)]
        self.keep("webhooks", webhooks)
        self.keep("webhook-deliveries", [agent.post(f"/v1/webhooks/{webhooks[0]['id']}/ping")])
        self.keep("practices", agent.data(f"/v1/practices?commune={COMMUNE}&limit=100"))
        # The same of what an administrator makes.
        clients, client = f"/v1/communes/{COMMUNE}/clients", {"name": "Site", "contact": "Mairie", "scopes": ["measures"]}
        self.keep("clients", agent.data(clients) or [Person("admin@demo.example").post(clients, client)])
        self.keep("imports", agent.data(f"/v1/communes/{COMMUNE}/imports?limit=100"))
        self.keep("users", (person.get("/v1/me") for person in self.people))
        self.keep("initiatives", agent.data(f"/v1/initiatives?commune={COMMUNE}&limit=100"))
        for initiative in self.ids["initiatives"]:
            for kind in ("commitments", "conventions"):
                self.keep(kind, agent.data(f"/v1/initiatives/{initiative}/{kind}"))
        # At which stage the caller last finds something to take an action on: nothing that it needs is missing then.
        self.stages, self.begun, self.refused = {}, collections.Counter(), collections.Counter()
        for stage, path in enumerate(life(*self.people), start=1):
            for kind, action, _ in self.read(path):
                self.stages[kind, action] = stage

    def read(self, path):
        """Keeps an initiative and all that hangs on it as the caller sees them; says what was found: kind, action, id."""
        initiative = self.caller.get(path)
        found = self.keep("initiatives", [initiative])
        if initiative:
            found += self.keep("holders", [self.caller.get(f"/v1/holders/{initiative['holder']['id']}")])
        evaluation = self.keep("evaluations", [self.caller.get(f"{path}/evaluation")])
        if evaluation:
            found = [each for each in found if each[1] != "evaluate"]
        found += evaluation
        conventions = self.caller.data(f"{path}/conventions")
        if initiative.get("state") == "accepted" and not conventions:
            self.ids["initiatives"][initiative["id"]].add(TO_AGREE)
            found.append(("initiatives", TO_AGREE, initiative["id"]))
        for convention in conventions:
            found += self.keep("conventions", [self.caller.get(f"/v1/conventions/{convention['id']}")])
        self.keep("documents", self.caller.data(f"{path}/documents"))
        commitments = self.caller.data(f"{path}/commitments")
        found += self.keep("commitments", commitments)
        for commitment in commitments:
            found += self.keep("fulfilments", self.caller.data(f"/v1/commitments/{commitment['id']}/fulfilments"))
        return found

    def keep(self, kind, items):
        found = []
        for item in filter(None, items):
            id = item["initiative_id" if kind == "evaluations" else "id"]
            self.ids[kind][id] = set(item.get("allowed_actions", []))
            found += [(kind, action, id) for action in self.ids[kind][id]]
            if item.get("content_sha256"):
                self.hashes[id] = item["content_sha256"]
        return found

    def knows(self, id):
        return any(id in ids for ids in self.ids.values())

    def draw(self, kind, draw, wanted=None):
        """An id of this kind; mostly one on which the caller may take the action, the first few times a new one."""
        if draw.random() < 0.2:
            return draw.choice(list(self.ids[kind]))
        if (kind, wanted) in self.stages and self.begun[kind, wanted] < LIVES:
            self.begun[kind, wanted] += 1
            for found in self.begin(self.stages[kind, wanted]):
                if found[:2] == (kind, wanted):
                    return found[2]
        able = [id for id, actions in self.ids[kind].items() if wanted in actions]
        return draw.choice(able or list(self.ids[kind]))

    def begin(self, stage):
        """Brings a new initiative to a stage. Fuzzed settings of the commune may stand in the way: that is counted."""
        begun = life(*self.people)
        try:
            for _ in range(stage):
                path = next(begun)
        except Refused as refused:
            self.refused[str(refused)] += 1
            return []
        return self.read(path)
