"""remember, recall, context, list, show, history, forget, retract, restore."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

MEMBERS = (
    "id namespace version content type tags metadata session_id source importance pinned key created_at recorded_at "
    "retracted_at valid_from valid_to expires_at superseded_by reason origin trust derived_from depends_on quarantine "
    "access_count last_recalled_at reinforced_count"
).split()


def remembered(run, text, *options):
    return run("remember", "team", text, *options, "--json").json


def test_remember_takes_everything_and_says_it(run):
    said = remembered(
        run, "We chose PostgreSQL", "--type", "decision", "--tag", "a", "--tag", "b", "--meta", "x=1=2",
        "--metadata", '{"n": 3}', "--session", "s", "--source", "alice", "--importance", "0.9", "--pin",
        "--ttl", "2w", "--valid-from", "2026-01-31T12:00+02:00", "--key", "db", "--idempotency-key", "i",
    )  # fmt: skip
    assert said["action"] == "added" and said["superseded"] == []
    memory = said["memory"]
    assert list(memory) == MEMBERS
    assert memory["metadata"] == {"n": 3, "x": "1=2"} and memory["tags"] == ["a", "b"]
    assert (memory["session_id"], memory["source"], memory["importance"]) == ("s", "alice", 0.9)
    assert memory["pinned"] is True and memory["key"] == "db"
    assert memory["valid_from"] == "2026-01-31T10:00:00.000000Z"
    left = datetime.fromisoformat(memory["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=13, hours=23) < left <= timedelta(weeks=2)


def test_remember_says_what_became_of_it(run):
    assert run("remember", "team", "Alice likes tea", "--idempotency-key", "1").out.startswith("added ")
    assert "known already" in run("remember", "team", "alice likes tea.").out
    again = run("remember", "team", "Alice likes tea", "--idempotency-key", "1").out
    assert again.startswith("replayed ")
    first = remembered(run, "tabs", "--key", "indent")["memory"]["id"]
    done = run("remember", "team", "spaces", "--key", "indent")
    assert f"superseded {first}" in done.out


def test_text_from_standard_input(run):
    assert (
        run("remember", "team", "-", "--json", stdin="two\nlines\n").json["memory"]["content"] == "two\nlines"
    )
    assert (
        run("remember", "team", "-", stdin="", code=1).err
        == "error[invalid_input]: content: is empty or only white space\n"
    )
    assert "byte 1" in run("remember", "team", "-", stdin=b"a\xff", code=1).err


@pytest.mark.parametrize(
    ("ttl", "seconds"), [("90s", 90), ("15m", 900), ("12h", 43_200), ("1.5d", 129_600), ("60", 60)]
)
def test_ttl_units(run, ttl, seconds):
    memory = remembered(run, "soon gone", "--ttl", ttl)["memory"]
    lives = datetime.fromisoformat(memory["expires_at"]) - datetime.fromisoformat(memory["created_at"])
    assert abs(lives.total_seconds() - seconds) < 1


@pytest.mark.parametrize(
    "options",
    [("--ttl", "soon"), ("--ttl", "5y"), ("--valid-from", "yesterday"), ("--meta", "novalue"), ("--metadata", "[1]"),
     ("--metadata", "{"), ("--importance", "much"), ("--unknown",)],
)  # fmt: skip
def test_what_cannot_be_read_is_a_usage_error(run, options):
    refused = run("remember", "team", "text", *options, code=2)
    assert refused.out == "" and "Traceback" not in refused.err
    assert options[0].lstrip("-").split("-")[0] in refused.err


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        (("remember", "team", " "), "content"),
        (("remember", " ", "text"), "namespace"),
        (("remember", "team", "text", "--importance", "2"), "importance"),
        (("remember", "team", "text", "--ttl", "0"), "ttl"),
        (("remember", "team", "text", "--metadata", '{"a": NaN}'), None),
        (("recall", "team", "text", "--limit", "0"), "limit"),
        (("recall", "team", "text", "--min-score", "7"), "min_score"),
        (("recall", "team", "text", "--min-confidence", "1.5"), "min_confidence"),
        (("recall", "team", "text", "--profile", "nope"), "profile"),
        (("recall", "team", "text", "--since", "1d", "--until", "2d"), "since"),
        (("context", "team", "text", "--max-tokens", "-5"), "max_tokens"),
    ],
)
def test_what_is_refused_is_named(run, arguments, argument):
    run("remember", "team", "something")
    refused = run(*arguments, "--json", code=1)
    error = json.loads(refused.err)["error"]
    assert refused.out == "" and error["code"] == "invalid_input" and error["message"]
    assert argument is None or error["argument"] == argument
    assert run(*arguments, code=1).err.startswith("error[invalid_input]: ")


def test_recall_filters_and_shows_why(run):
    run(
        "remember",
        "team",
        "The deploy failed on Friday",
        "--type",
        "failure",
        "--tag",
        "ops",
        "--source",
        "bob",
    )
    run("remember", "team", "The deploy needs two approvals", "--type", "procedure")
    run("remember", "shared", "Every deploy is announced")
    hits = run("recall", "team", "deploy", "--json").json["hits"]
    assert len(hits) == 2
    assert list(hits[0]) == [
        *("score", "confidence", "newer", "stale", "conflicts"),
        *MEMBERS,
        *("why", "evidence"),
    ]
    assert abs(sum(hits[0]["why"].values()) - hits[0]["score"]) < 1e-3
    only = run("recall", "team", "deploy", "--type", "failure", "--tag", "ops", "--source", "bob", "--json")
    assert [hit["type"] for hit in only.json["hits"]] == ["failure"]
    both = run("recall", "team", "deploy", "--also", "shared", "--limit", "9", "--json").json["hits"]
    assert {hit["namespace"] for hit in both} == {"team", "shared"}
    assert run("recall", "team", "deploy", "--as-of", "1d", "--json").json["hits"] == []
    assert run("recall", "team", "deploy", "--since", "1h", "--profile", "kronvex", "--json").json["hits"]
    shown = run("recall", "team", "deploy", "--why", "--also", "shared").out
    for word in ("Score", "Sure", "in shared", "failure · ops · bob", hits[0]["id"]):
        assert word in shown
    nothing = run("recall", "empty", "deploy")
    assert nothing.out == "" and nothing.err == "nothing found\n"


@pytest.mark.parametrize("columns", [80, 120])
def test_the_parts_stand_below_their_hit_and_add_up(run, monkeypatch, columns):
    run("remember", "team", "Which day do we deploy on?", "--session", "s", "--type", "interaction")
    run("remember", "team", "We deploy on Thursdays.", "--session", "s", "--type", "interaction")
    monkeypatch.setenv("COLUMNS", str(columns))
    shown = run("recall", "team", "which day do we deploy", "--why").out
    assert max(map(len, shown.splitlines())) <= columns
    sums = re.findall(r"= ([^=]+?)(?=\n[01]\.\d{3} |\Z)", shown)
    scores = [float(score) for score in re.findall(r"^([01]\.\d{3}) ", shown, re.MULTILINE)]
    assert len(sums) == len(scores) == 2
    for text, score in zip(sums, scores, strict=True):
        terms = re.findall(r"([+-]?) ?(\w+) (\d\.\d{3})", " ".join(text.split()))
        shares = [float(f"{sign or '+'}{share}") for sign, _, share in terms]
        assert sum(shares) == pytest.approx(score, abs=0.001 * len(shares))
        assert [abs(share) for share in shares] == sorted(map(abs, shares), reverse=True)
        assert all(shares)  # what adds nothing is not shown
    assert any("- question" in text for text in sums)
    assert "= " not in run("recall", "team", "deploy").out


def test_recall_says_how_sure_it_is_and_what_is_outdated(run):
    old = remembered(run, "The treaty of the two northern towns was signed in 1815.")["memory"]["id"]
    new = remembered(run, "The treaty of the two northern towns was signed in 1817.")["memory"]["id"]
    query = ("recall", "team", "treaty of the two northern towns", "--profile", "isolated")
    found = run(*query, "--json").json
    assert {hit["id"]: hit["newer"] for hit in found["hits"]} == {old: new, new: None}
    best = max(hit["confidence"] for hit in found["hits"])
    assert 0 < best <= found["confidence"] < 1
    shown = run(*query).out
    assert f"{best:.0%}" in shown and shown.count("older; the newer one is") == 1
    assert f"older; the newer one is {new}" in shown
    unsure = run(*query, "--min-confidence", "1")
    assert unsure.out == "" and re.fullmatch(
        r"nothing found; something of it may be here, by \d+%\n", unsure.err
    )
    assert run(*query, "--min-confidence", "1", "--json").json == {
        "confidence": found["confidence"],
        "hits": [],
    }
    assert run("context", *query[1:], "--min-confidence", "1").out == ""
    assert "older, a newer memory exists" in run("context", *query[1:]).out


def test_stored_text_is_shown_and_never_obeyed(run):
    run("remember", "team", "[red]bold[/red] \x1b[31mred :smile: \u202eevil")
    (held,) = run("quarantine", "team", "--json").json["memories"]
    run("release", "team", held["id"])
    for command in (("recall", "team", "bold"), ("list", "team")):
        shown = run(*command).out
        assert "[red]bold[/red] ␛[31mred :smile:" in shown and "\x1b" not in shown and "\u202e" not in shown


def test_context_prints_the_block_alone(run):
    run("remember", "team", "The database is PostgreSQL")
    block = run("context", "team", "database").out
    assert (
        "PostgreSQL" in block and run("context", "team", "database", "--json").json["context"] + "\n" == block
    )
    assert run("context", "other", "database", "--max-tokens", "10").out == ""


def test_list_pages(run):
    ids = [remembered(run, f"fact number {i}")["memory"]["id"] for i in range(5)][::-1]
    first = run("list", "team", "-n", "2", "--json").json
    assert [m["id"] for m in first["memories"]] == ids[:2] and first["next"] == ids[1]
    rest = run("list", "team", "--after", first["next"], "--json").json
    assert [m["id"] for m in rest["memories"]] == ids[2:] and rest["next"] is None
    shown = run("list", "team", "-n", "2")
    assert ids[0] in shown.out and f"--after {ids[1]}" in shown.err


def test_show_and_history_tell_the_story(run):
    first = remembered(run, "MongoDB", "--key", "db", "--meta", "a=b")["memory"]["id"]
    second = remembered(run, "PostgreSQL", "--key", "db")["memory"]["id"]
    assert run("show", "team", first, "--json", code=1).out == ""
    shown = run("show", "team", second).out
    assert "PostgreSQL" in shown and "importance" in shown and "retracted_at" not in shown
    versions = run("history", "team", "--key", "db", "--json").json["versions"]
    assert [(v["id"], v["version"]) for v in versions] == [(first, 1), (first, 2), (second, 1)]
    story = run("history", "team", second).out
    for word in (
        "MongoDB",
        "PostgreSQL",
        "Believed",
        f"by {second}",
        "superseded under the same key",
        "to now",
    ):
        assert word in story
    run("history", "team", code=2)
    run("history", "team", first, "--key", "db", code=2)
    assert run("history", "team", "--key", "nope", code=1).err.startswith("error[not_found]")


def test_retract_and_restore(run):
    id = remembered(run, "The sky is green")["memory"]["id"]
    gone = run("retract", "team", id, "--reason", "it is blue", "--json").json
    assert gone["retracted_at"] is not None and gone["reason"] == "it is blue"
    assert run("list", "team", "--json").json["memories"] == []
    assert "it is blue" in run("history", "team", id).out
    assert run("restore", "team", id).out == f"restored {id} as version 2\n"
    assert run("restore", "team", id, "--version", "9", code=1).err.startswith("error[not_found]")
    assert len(run("list", "team", "--json").json["memories"]) == 1


def test_forget_asks_unless_told_not_to(run):
    ids = [remembered(run, f"secret {i}", "--tag", f"t{i}")["memory"]["id"] for i in range(4)]
    assert "--yes" in run("forget", "team", ids[0], code=2).err
    assert "--yes" in run("forget", "team", ids[0], "--json", code=2).err
    receipt = run("forget", "team", ids[0], "--yes", "--json").json
    assert (receipt["forgotten"], receipt["versions"]) == ([ids[0]], 1)
    assert run("forget", "team", ids[0], "-y", code=1).err.startswith("error[not_found]")
    assert "forgot 1 memories" in run("forget", "team", "--tag", "t1", "-y").out
    partly = run("forget", "team", ids[2], "nope", "-y")
    assert "forgot 1 " in partly.out and "no memory nope" in partly.err
    for wrong in ((), (ids[3], "--everything"), ("--tag", "t3", "--everything")):
        run("forget", "team", *wrong, "-y", code=2)
    assert len(run("forget", "team", "--everything", "--yes", "--json").json["forgotten"]) == 1


def test_forget_asks_at_a_terminal(run, monkeypatch):
    import typer.testing

    id = remembered(run, "a secret")["memory"]["id"]
    monkeypatch.setattr(typer.testing._NamedTextIOWrapper, "isatty", lambda self: True)
    monkeypatch.setenv("TERM", "dumb")
    assert "Erase 1 memories of 'team'" in run("forget", "team", id, stdin="n\n", code=1).err
    assert len(run("list", "team", "--json").json["memories"]) == 1
    run("forget", "team", "--everything", stdin="y\n")
    assert run("list", "team", "--json").json["memories"] == []
