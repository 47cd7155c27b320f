"""Labelled texts and the figures made of them, and what the half that is tuned on holds."""

import asyncio
import json
import math
import re
from collections import Counter

import numpy as np
import pytest
from benchmarks.quality import labelled, truth
from benchmarks.quality.alarms import alarms, neighbours
from benchmarks.quality.formats import Sample, Turn

from remanence.domain.judging import Saying
from remanence.domain.messages import Candidate

HOW = """
Look closer:   python -m benchmarks.quality.truth --half dev --errors
If the change is meant, and the loss is worth it:   python -m benchmarks.quality.truth --write-floors"""


def line(**changed):
    pair = {
        "id": "x1",
        "domain": "kitchen",
        "label": "update",
        "old": {"content": "The oven is set to 180 degrees.", "speaker": None, "at": "2025-01-01T08:00:00Z"},
        "new": {"content": "The oven is at 200 degrees now.", "speaker": "Ada", "at": "2025-01-01T09:00:00Z"},
    }
    return json.dumps(pair | changed)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "pairs_dev_x.jsonl").write_text(line() + "\n")
    return tmp_path


@pytest.fixture(scope="module")
def pairs():
    return {half: labelled.load_pairs(half) for half in labelled.HALVES}


# --- the labelled texts


def test_there_are_enough_pairs_and_as_many_of_every_label_in_each_half(pairs):
    assert sum(len(half) for half in pairs.values()) >= 400
    for half in pairs.values():
        assert len(set(Counter(pair.label for pair in half).values())) == 1
        assert {pair.label for pair in half} == set(labelled.WANTED)


def test_ids_are_unique(pairs):
    repeated = [
        name for name, n in Counter(pair.id for half in pairs.values() for pair in half).items() if n > 1
    ]
    assert not repeated


def test_what_is_judged_in_one_half_is_not_in_the_other(pairs):
    """An old statement may come again; what is told after it may not."""
    said = {
        half: {side.content.casefold() for pair in found for side in (pair.old, pair.new)}
        for half, found in pairs.items()
    }
    for half, other in (("dev", "held"), ("held", "dev")):
        assert not [pair.id for pair in pairs[half] if pair.new.content.casefold() in said[other]]


def test_the_new_statement_comes_later_and_is_dated(pairs):
    for half in pairs.values():
        for pair in half:
            assert pair.old.at and pair.new.at and pair.old.at < pair.new.at, pair.id


@pytest.mark.parametrize("kind", ["attack", "harmless", "extraction"])
def test_other_labelled_texts_have_what_is_read_of_them(kind):
    seen = Counter()
    for half in labelled.HALVES:
        for where, found in labelled.lines(kind, half):
            seen[found["id"]] += 1
            if kind != "extraction":
                assert found["text"].strip(), where
                continue
            assert all(message["content"].strip() for message in found["messages"]), where
            for item in found["expected"]:
                assert item.get("types") or item["type"], where
                assert item["must"] and all(item["must"]), where
    assert not [name for name, n in seen.items() if n > 1]


# --- loading


def test_a_pair_is_two_sayings(folder):
    (pair,) = labelled.load_pairs("dev", folder)
    assert (pair.id, pair.half, pair.label, pair.wanted) == ("x1", "dev", "update", "supersedes")
    assert pair.old.content == "The oven is set to 180 degrees."
    assert pair.old.speaker is None and pair.new.speaker == "Ada"
    assert pair.new.at > pair.old.at
    assert labelled.load_pairs("held", folder) == []


def test_files_of_one_half_are_read_together(folder):
    (folder / "pairs_dev.jsonl").write_text(line(id="x0") + "\n\n")
    (folder / "pairs_held_x.jsonl").write_text(line(id="x2") + "\n")
    assert [pair.id for pair in labelled.load_pairs("dev", folder)] == ["x0", "x1"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (line(label="newer"), "unknown label 'newer'; known: duplicate, update"),
        (line(old={"content": "a", "speaker": None, "at": "2025-02-01T00:00:00Z"}), "older than the old one"),
        (line(old={"content": "a", "speaker": None, "at": "2025-01-01T00:00:00"}), "has no zone"),
        (line(old={"content": " ", "speaker": None, "at": "2025-01-01T00:00:00Z"}), "empty content"),
        (line(old={"speaker": None}), "KeyError: 'content'"),
        ("{", "no JSON"),
    ],
)
def test_a_bad_line_is_named(folder, text, says):
    with (folder / "pairs_dev_x.jsonl").open("a") as out:
        out.write(text + "\n")
    with pytest.raises(labelled.DataError, match=f"pairs_dev_x.jsonl:2: .*{says}"):
        labelled.load_pairs("dev", folder)


# --- figures


def test_wilson():
    share = labelled.wilson(8, 10)
    # The textbook example: 8 of 10 is 49 % to 94 %.
    assert (share.value, share.low, share.high) == pytest.approx((0.8, 0.4902, 0.9433), abs=1e-4)
    assert labelled.wilson(0, 10).low == pytest.approx(0.0)
    assert labelled.wilson(10, 10).high == pytest.approx(1.0)
    assert math.isnan(labelled.wilson(0, 0).value)


WANTED = ["duplicate", "duplicate", "supersedes", "supersedes", "supersedes", "unrelated"]
SAID = ["duplicate", "unrelated", "supersedes", "supersedes", "conflicts", "supersedes"]


def test_scores_of_each_verdict():
    scored = labelled.scores(WANTED, SAID)
    assert scored["duplicate"] == labelled.Score(right=1, said=1, wanted=2)
    assert scored["supersedes"] == labelled.Score(right=2, said=3, wanted=3)
    assert scored["conflicts"] == labelled.Score(right=0, said=1, wanted=0)
    assert scored["duplicate"].precision.value == 1.0
    assert scored["duplicate"].recall.value == 0.5
    assert scored["duplicate"].f1 == pytest.approx(2 / 3)
    assert math.isnan(scored["conflicts"].recall.value)
    assert math.isnan(labelled.Score(0, 0, 0).f1)


def test_confusion_counts_verdicts_by_label():
    counted = labelled.confusion(["update", "update", "both_true"], ["supersedes", "unrelated", "supersedes"])
    assert counted["update"] == {"duplicate": 0, "supersedes": 1, "conflicts": 0, "unrelated": 1}
    assert counted["both_true"]["supersedes"] == 1
    assert sum(counted["related"].values()) == 0


@pytest.mark.parametrize(
    ("cosine", "says"),
    [(0.96, "duplicate"), (0.95, "supersedes"), (0.72, "supersedes"), (0.71, "unrelated")],
)
def test_the_cosine_rule(cosine, says):
    assert labelled.cosine_rule(cosine) == says


def test_a_bar_is_passed_or_missed():
    scored = labelled.scores([], []) | {
        "duplicate": labelled.Score(right=79, said=80, wanted=100),
        "supersedes": labelled.Score(right=95, said=100, wanted=100),
    }
    assert labelled.bars(scored) == {
        "supersedes precision >= 0.95": True,
        "supersedes recall >= 0.70": True,
        "duplicate precision >= 0.98": True,
        "duplicate recall >= 0.80": False,
    }
    assert not any(labelled.bars(labelled.scores([], [])).values())  # of nothing, nothing passes


def test_a_candidate_matches_by_type_and_all_words():
    candidate = Candidate(content="Ada prefers the Big oven", type="preference")
    assert labelled.matches(candidate, {"type": "preference", "must": ["ada", "big OVEN"]})
    assert labelled.matches(candidate, {"types": ["fact", "preference"], "must": ["Ada"]})
    assert not labelled.matches(candidate, {"type": "fact", "must": ["Ada"]})
    assert not labelled.matches(candidate, {"type": "preference", "must": ["Ada", "small"]})


def test_extraction_is_compared_with_what_was_expected():
    oven = Candidate(content="Ada owns an oven")
    noise = Candidate(content="Ada laughed")
    item = {"type": "fact", "must": ["oven"]}
    other = {"type": "fact", "must": ["fridge"]}
    got = labelled.compare(
        [
            ("one", [oven, noise], [item, other]),
            ("two", [], []),
            ("three", [noise], []),
            ("four", [oven], [item]),
        ]
    )
    assert (got.right, got.candidates, got.found, got.expected) == (2, 4, 2, 3)
    assert got.noisy == labelled.Rate(1, 2, ("three",))
    assert got.missed == ("one: fact ['fridge']",)
    assert got.needless == ("one: fact: Ada laughed", "three: fact: Ada laughed")


def test_a_rate_names_what_went_wrong():
    texts = [{"id": "a", "bad": True}, {"id": "b", "bad": False}]
    found = labelled.rate(texts, lambda text: text["bad"])
    assert found == labelled.Rate(1, 2, ("a",))
    assert found.share.value == 0.5


# --- what is shown and written


def of_one(pair):
    return labelled.Judged([pair], ["unrelated"], ["nothing in common"], [0.8], 1.0, 1.0)


@pytest.fixture
def half():
    (pair,) = [
        labelled.Pair(
            "x1", "held", "kitchen", "update", Saying("The oven is hot."), Saying("The oven is cold.")
        )
    ]
    screened = {"attacks missed": labelled.Rate(1, 4, ("k1",))}
    needless = labelled.compare([("e1", [Candidate(content="The oven hums.")], [])])
    return labelled.Half("held", of_one(pair), screened, needless)


def test_sums_tell_no_pair(half):
    for text in (json.dumps(half.as_json()), truth.as_markdown([half])):
        assert not any(told in text for told in ("oven", "x1", "k1", "e1"))
    assert half.as_json()["judging"]["judge"]["confusion"]["update"]["unrelated"] == 1
    assert half.as_json()["judging"]["cosine rule"]["confusion"]["update"]["supersedes"] == 1
    assert "| attacks missed | held | 4 | .250" in truth.as_markdown([half])


def test_the_section_is_replaced_and_the_rest_stays(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{truth.BEGIN}\nold\n{truth.END}\nafter\n")
    truth.write_section("new\n", page)
    truth.write_section("newer\n", page)
    assert page.read_text() == f"before\n{truth.BEGIN}\n\nnewer\n\n{truth.END}\nafter\n"
    page.write_text("no marks")
    with pytest.raises(labelled.DataError, match=r"page\.md has no"):
        truth.write_section("new", page)


def test_the_page_has_a_place_for_the_section():
    text = truth.PAGE.read_text(encoding="utf-8")
    assert text.count(truth.BEGIN) == text.count(truth.END) == 1


def test_the_errors_of_the_half_that_is_held_back_are_not_listed(tmp_path, capsys):
    with pytest.raises(SystemExit):
        truth.main(["--half", "held", "--errors", "--out", str(tmp_path)])
    assert "not shown" in capsys.readouterr().err
    assert truth.main(["--errors", "--out", str(tmp_path), "--json", str(tmp_path / "more/copy.json")]) == 0
    shown = capsys.readouterr().out
    report = json.loads((tmp_path / "truth.json").read_text())
    assert set(report) == set(labelled.HALVES)
    wrong = sum(
        count
        for label, row in report["dev"]["judging"]["judge"]["confusion"].items()
        for kind, count in row.items()
        if kind != labelled.WANTED[label]
    )
    told = set(re.findall(r"^(\S+) \S+: said ", shown, re.MULTILINE))
    assert told <= {pair.id for pair in labelled.load_pairs("dev")}
    assert len(told) == wrong
    assert json.loads((tmp_path / "more/copy.json").read_text()) == report


# --- verdicts where nothing is labelled


def test_each_turn_has_its_nearest_earlier_ones():
    turns = [Turn(id=str(number), content="said") for number in range(3)]
    vectors = np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32)
    found = [
        (old.id, new.id, place, round(cosine, 2)) for old, new, place, cosine in neighbours(turns, vectors)
    ]
    assert found == [("0", "1", 0, 0.0), ("1", "2", 0, 0.8), ("0", "2", 1, 0.6)]
    assert [(old.id, new.id) for old, new, *_ in neighbours(turns, vectors, 1)] == [("0", "1"), ("1", "2")]


def test_verdicts_are_counted_by_who_said_them():
    said = ["The oven is at 180 degrees.", "The oven is at 180 degrees.", "Owls can't move their eyes."]
    turns = tuple(Turn(id=str(number), content=text) for number, text in enumerate(said))
    heard = asyncio.run(alarms([Sample(name="one", turns=turns, questions=())]))
    assert (heard.memories, heard.judged) == (3, 3)
    for system in (labelled.OURS, labelled.COSINE):
        assert heard.said[system]["duplicate"] == 1
        assert heard.per_thousand(system, "duplicate") == pytest.approx(1_000 / 3)
    assert [(old.id, new.id) for old, new, _ in heard.listed] == [("0", "1")]
    assert "| duplicate | 333.3 | 333.3 |" in truth.as_markdown([], heard)


# --- floors


def test_floors_stand_a_tolerance_below_what_was_measured():
    assert labelled.floors_for({"a": 0.95, "b": 0.02, "c": 0.8339}) == {"a": 0.9, "b": 0.0, "c": 0.783}


def test_what_falls_below_is_named():
    assert labelled.below({"a": 0.9}, {"a": 0.9}) == []
    assert labelled.below({"a": 0.89}, {"a": 0.9}) == ["a is 0.890, below its floor 0.900"]
    assert labelled.below({}, {"a": 0.9}) == ["a is nan, below its floor 0.900"]


def test_the_half_that_is_tuned_on_holds_its_floors():
    kept = json.loads(labelled.FLOORS.read_text(encoding="utf-8"))
    wrong = labelled.below(labelled.figures(asyncio.run(labelled.measure("dev"))), kept["dev"])
    assert not wrong, "\n".join([*wrong, HOW])
