"""end-session and consolidate."""

import pytest

from remanence import Memory
from remanence.embedders.hashing import HashingEmbedder

DECIDED = "We decided to use PostgreSQL for the billing service because the team knows it."
SAID = ("remember", "team", DECIDED, "--type", "interaction", "--session", "s", "--source", "user")


@pytest.fixture
def copies(tmp_path):
    """Two memories that say the same, as one of them came to say it later, in two namespaces."""
    for namespace in ("team", "other"):
        with Memory(namespace, db=tmp_path / "memory.db", embedder=HashingEmbedder()) as memory:
            memory.remember("Ana works as a nurse in Rome.")
            id = memory.remember("The harbour opens at six.").id
            memory.update(id, content="Ana is a nurse in Rome.")


def test_what_lasts_of_a_session_is_remembered(run):
    said = run(*SAID, "--json").json["memory"]["id"]
    found = run("end-session", "team", "s", "--json").json["remembered"]
    assert found and {one["action"] for one in found} == {"added"}
    assert all(one["memory"]["derived_from"] == [said] for one in found)
    assert any("PostgreSQL" in one["memory"]["content"] for one in found)
    assert run("end-session", "team", "s", "--json").json == {"remembered": []}


def test_the_end_of_a_session_is_told_in_words(run):
    run(*SAID)
    told = run("end-session", "team", "s").out
    assert told.startswith("added") and "PostgreSQL" in told
    again = run("end-session", "team", "s")
    assert again.out == "" and "nothing new" in again.err


def test_one_namespace_or_all_are_consolidated(run, copies):
    done = run("consolidate", "team", "--json").json["namespaces"]
    assert list(done) == ["team"]
    assert (done["team"]["examined"], done["team"]["merged"], done["team"]["distilled"]) == (3, 1, 0)
    assert len(done["team"]["decisions"]) == 1
    done = run("consolidate", "--json").json["namespaces"]
    assert {name: one["merged"] for name, one in done.items()} == {"other": 1, "team": 0}
    assert len(run("list", "team", "--json").json["memories"]) == 1
    assert run("consolidate").out.splitlines() == [
        f"{name}: looked at 0 memories, merged 0 into others, distilled 0 sessions"
        for name in ("other", "team")
    ]


def test_a_namespace_that_holds_nothing_is_no_error(run, copies):
    assert run("consolidate", "empty", "--json").json["namespaces"]["empty"]["examined"] == 0
    assert run("namespaces", "--json").json["namespaces"] == ["other", "team"]


def test_what_cannot_be_done_is_refused(run, monkeypatch):
    assert run("consolidate", "team", code=1).err.startswith("error[not_found]")
    run(*SAID)
    assert "session_id" in run("end-session", "team", " ", code=1).err
    monkeypatch.delenv("REMANENCE_DB")
    monkeypatch.setenv("REMANENCE_URL", "http://127.0.0.1:9")
    assert "namespace" in run("consolidate", code=1).err
