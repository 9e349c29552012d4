"""A farmer's program: signs in, finds the commune, reads its lists, writes an initiative down and changes it.

python tour.py http://127.0.0.1:8080
"""

import sys
from collections.abc import Iterator
from http import HTTPStatus
from typing import TypeVar
from uuid import uuid4

from fifty_fifty_client import AuthenticatedClient, Client
from fifty_fifty_client.api.accounts import get_me
from fifty_fifty_client.api.authentication import issue_token
from fifty_fifty_client.api.communes import get_commune, list_communes
from fifty_fifty_client.api.holders import create_holder
from fifty_fifty_client.api.initiatives import (
    create_initiative,
    get_initiative,
    list_initiatives,
    submit_initiative,
    update_initiative,
)
from fifty_fifty_client.api.metrics import get_metrics
from fifty_fifty_client.models import (
    Commune,
    CommunePage,
    FaultCode,
    GrantType,
    Holder,
    HolderKind,
    HolderRegistration,
    IndicatorCode,
    Initiative,
    InitiativeAction,
    InitiativePage,
    InitiativePatch,
    InitiativeState,
    InitiativeSummary,
    Location,
    Me,
    MetricReport,
    NewInitiative,
    Problem,
    ProblemCode,
    Theme,
    TokenAnswer,
    TokenRequest,
)
from fifty_fifty_client.types import UNSET, Response, Unset

LOOS = "62528"
T = TypeVar("T")


class Refused(Exception):
    """The API has said no, and why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.status} {problem.code}: {problem.detail}")
        self.problem = problem


def got(kind: type[T], answer: Response[T | Problem]) -> T:
    """The answer of a request that must succeed."""
    if isinstance(answer.parsed, Problem):
        raise Refused(answer.parsed)
    if not isinstance(answer.parsed, kind):
        raise TypeError(f"{answer.status_code}: {kind.__name__} expected")
    return answer.parsed


def refused(answer: Response[T | Problem]) -> Problem:
    """The problem of a request that must be refused."""
    assert isinstance(answer.parsed, Problem), answer.status_code
    assert answer.parsed.status == answer.status_code
    return answer.parsed


def sign_in(address: str, username: str, password: str) -> AuthenticatedClient:
    form = TokenRequest(grant_type=GrantType.PASSWORD, username=username, password=password)
    tokens = issue_token.sync(client=Client(base_url=address), body=form)
    assert isinstance(tokens, TokenAnswer), tokens
    return AuthenticatedClient(base_url=address, token=tokens.access_token, headers={"Accept-Language": "en"})


def initiatives(
    client: AuthenticatedClient, commune: str, states: list[InitiativeState] | Unset = UNSET, limit: int = 20
) -> Iterator[InitiativeSummary]:
    """Everything on a list, page by page. It is public: the generator asks to sign in wherever that is possible."""
    cursor: str | Unset = UNSET
    while True:
        answer = list_initiatives.sync_detailed(
            client=client, commune=commune, state=states, limit=limit, cursor=cursor
        )
        page = got(InitiativePage, answer)
        yield from page.data
        if page.next_cursor is None:
            return
        cursor = page.next_cursor


def find_the_commune(visitor: Client) -> None:
    for words in ("loos goh", "Loos-en-Gohelle", "62750"):
        page = got(CommunePage, list_communes.sync_detailed(client=visitor, q=words))
        assert LOOS in [commune.code for commune in page.data], words
    commune = got(Commune, get_commune.sync_detailed(LOOS, client=visitor))
    assert commune.name == "Loos-en-Gohelle" and commune.department.code == "62"
    nowhere = refused(get_commune.sync_detailed("99999", client=visitor))
    assert nowhere.code is ProblemCode.NOT_FOUND


def read_the_lists(reader: AuthenticatedClient) -> None:
    everything = list(initiatives(reader, LOOS, limit=100))
    by_three = list(initiatives(reader, LOOS, limit=3))
    assert len(everything) > 6, "more than two pages of three"
    assert [item.id for item in by_three] == [item.id for item in everything]
    some = [InitiativeState.IN_PROGRESS, InitiativeState.CLOSED]
    chosen = list(initiatives(reader, LOOS, states=some, limit=2))
    assert {item.state for item in chosen} == set(some)
    assert len(chosen) == len([item for item in everything if item.state in some])


def write_it_down(farmer: AuthenticatedClient, stranger: AuthenticatedClient) -> None:
    registration = HolderRegistration(kind=HolderKind.COLLECTIVE, name="Les riverains du chemin vert")
    key = str(uuid4())
    made = create_holder.sync_detailed(LOOS, client=farmer, body=registration, idempotency_key=key)
    holder = got(Holder, made)
    assert made.status_code == HTTPStatus.CREATED
    assert made.headers["Location"] == f"/v1/holders/{holder.id}"
    again = create_holder.sync_detailed(LOOS, client=farmer, body=registration, idempotency_key=key)
    assert got(Holder, again).id == holder.id
    assert again.headers["Idempotency-Replayed"] == "true"

    idea = NewInitiative(
        title="Une haie le long du chemin vert",
        holder_id=holder.id,
        needs="Des plants",
        location=Location(latitude=50.4571, longitude=2.7835),
    )
    drafted = create_initiative.sync_detailed(LOOS, client=farmer, body=idea)
    draft = got(Initiative, drafted)
    assert draft.state is InitiativeState.DRAFT and draft.theme is None and draft.needs == "Des plants"
    assert InitiativeAction.UPDATE in draft.allowed_actions
    hidden = refused(get_initiative.sync_detailed(draft.id, client=stranger))
    assert hidden.code is ProblemCode.NOT_FOUND

    incomplete = submit_initiative.sync_detailed(draft.id, client=farmer, if_match=drafted.headers["ETag"])
    missing = refused(incomplete)
    assert missing.code is ProblemCode.INVALID_BODY and not isinstance(missing.errors, Unset)
    assert {(fault.pointer, fault.code) for fault in missing.errors} == {
        ("#/description", FaultCode.REQUIRED),
        ("#/theme", FaultCode.REQUIRED),
    }

    # None clears, what is left out stays.
    patch = InitiativePatch(theme=Theme.ENVIRONMENT, description="Trois cents mètres de haie.", needs=None)
    patched = update_initiative.sync_detailed(draft.id, client=farmer, body=patch, if_match=drafted.headers["ETag"])
    changed = got(Initiative, patched)
    assert (changed.theme, changed.needs, changed.title) == (Theme.ENVIRONMENT, None, idea.title)
    assert changed.location == idea.location
    stale = update_initiative.sync_detailed(draft.id, client=farmer, body=patch, if_match=drafted.headers["ETag"])
    assert refused(stale).code is ProblemCode.STALE_VERSION

    submitted = got(
        Initiative, submit_initiative.sync_detailed(draft.id, client=farmer, if_match=patched.headers["ETag"])
    )
    assert submitted.state is InitiativeState.SUBMITTED and submitted.receipt is not None
    assert submitted.receipt.reply_due_on > submitted.receipt.submitted_at.date()
    late = refused(submit_initiative.sync_detailed(draft.id, client=farmer, if_match=patched.headers["ETag"]))
    assert late.code is ProblemCode.WRONG_STATE and late.state == "submitted"


def figures(visitor: Client, year: int | Unset = UNSET) -> dict[IndicatorCode, str | None]:
    """What the commune received in a year, this one if none is given, and the hours that residents gave."""
    indicators = [IndicatorCode.INITIATIVES_SUBMITTED, IndicatorCode.VOLUNTEER_HOURS]
    answer = get_metrics.sync_detailed(client=visitor, communes=[LOOS], from_=year, to=year, indicators=indicators)
    [commune] = got(MetricReport, answer).territories
    [of_the_year] = commune.periods
    return {figure.indicator: figure.value for figure in of_the_year.values}


def main(address: str) -> None:
    visitor = Client(base_url=address, headers={"Accept-Language": "en"})
    farmer = sign_in(address, "agriculteur@demo.example", "cinquante-cinquante")
    resident = sign_in(address, "habitante@demo.example", "cinquante-cinquante")
    me = got(Me, get_me.sync_detailed(client=farmer))
    assert me.email == "agriculteur@demo.example" and me.birth_on.year == 1969

    find_the_commune(visitor)
    read_the_lists(farmer)

    # The farm tracks of 2021, as the demonstration tells them.
    assert figures(visitor, 2021)[IndicatorCode.VOLUNTEER_HOURS] == "600"
    before = figures(visitor)[IndicatorCode.INITIATIVES_SUBMITTED]
    write_it_down(farmer, stranger=resident)
    after = figures(visitor)[IndicatorCode.INITIATIVES_SUBMITTED]
    assert before is not None and after is not None and int(after) == int(before) + 1, (before, after)
    print("The tour is over.")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Usage: python tour.py http://127.0.0.1:8080")
    main(sys.argv[1])
