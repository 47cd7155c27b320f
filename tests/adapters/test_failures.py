"""What a tool could not do, in one line."""

import json

import pytest

from remanence.adapters._failures import (
    Failed,
    FailureLog,
    described,
    failed_execution,
    is_execution,
    is_failed_execution,
    reports_error,
)
from remanence.adapters._memory import MAX_CONTENT
from remanence.domain.text import canonical

TRACEBACK = """Traceback (most recent call last):
  File "shop.py", line 3, in <module>
    connect()
  File "shop.py", line 1, in connect
    raise ConnectionError("refused")
ConnectionError: refused
"""


@pytest.mark.parametrize(
    ("output", "error"),
    [
        ("Error: disk full", True),
        (TRACEBACK, True),
        ("exitcode: 1 (execution failed)\nCode output: no such file", True),
        ("exitcode: 0 (execution succeeded)\nCode output: 1 error was mended", False),
        ('{"error": "quota exceeded"}', True),
        ('{"error": {"code": 429}}', True),
        ('{"error": null, "rows": 3}', False),
        ('{"rows": [1, 2]}', False),
        ("{not json", False),
        ("The build failed twice last week, says the log.", False),
        ("", False),
    ],
)
def test_a_result_that_is_an_error_is_told_from_one_that_tells_of_errors(output, error):
    assert reports_error(output) is error


@pytest.mark.parametrize(
    ("output", "line"),
    [
        ("Error: disk full", "disk full"),
        (TRACEBACK, "ConnectionError: refused"),
        ("exitcode: 1 (execution failed)\nCode output: " + TRACEBACK, "ConnectionError: refused"),
        ("\n\n  it just does not  \nanything else", "it just does not"),
        ("", "no reason given"),
        ("exitcode: 1 (execution failed)\nCode output: ", "exitcode: 1 (execution failed)"),
    ],
)
def test_the_line_that_says_what_went_wrong(output, line):
    assert described(Failed("shop", "", output)) == f"shop() failed: {line}"


def test_arguments_are_shortened():
    asked = json.dumps({"target": "staging", "config": "x" * 500, "count": 3, "names": ["a", "b"]})
    told = described(Failed("deploy", asked, "Error: disk full"))
    assert told.startswith("deploy(target='staging', config='xxxx") and "…" in told
    assert len(told) < 200
    assert described(Failed("deploy", "not json " * 99, "Error: disk full")).startswith("deploy(not json not")
    assert described(Failed("deploy", "[1, 2]", "Error: disk full")) == "deploy([1, 2]) failed: disk full"
    assert described(Failed("", "{}", "Error: disk full")) == "a tool() failed: disk full"


def test_no_part_of_a_secret_is_left_where_something_is_cut():
    key = "sk-proj-" + "4fT9wQz7LmX2vBn8Rk3PyHs6Dc1Ga5Ju0EoI" * 3
    for failed in (
        Failed(
            "fetch", json.dumps({"header": f"a rather long header before the key {key}"}), "Error: refused"
        ),
        Failed("fetch", json.dumps({"password": "correct-horse-battery-42"}), "Error: refused"),
        Failed("fetch", "{}", "Error: " + "the server said " * 16 + key),
    ):
        told = described(failed)
        assert "4fT9" not in told and "correct-horse" not in told
        assert "redacted" in told


def test_whatever_a_tool_says_is_one_storable_line():
    for output in ("Error: \0 nul and \ud800 half", "Error: " + "x" * 3 * MAX_CONTENT, "Error: a\n" * 99_999):
        told = described(Failed("to\nol\0", '{"a": "\ud800"}', output))
        assert told.splitlines() == [told] and len(told) < 600
        assert canonical(told) and told.encode()


def test_a_call_is_remembered_once_and_a_failed_store_tries_again():
    log = FailureLog(session_id="one", tags=["shop"])
    failed = Failed("deploy", "{}", "Error: disk full", "call_1")
    (item,) = log.new([failed, failed])
    assert log.new([failed]) == [item]
    log.stored([item])
    assert log.new([failed]) == []
    (again,) = log.new([failed._replace(call_id="call_2")])
    assert again["content"] == item["content"] and again["idempotency_key"] != item["idempotency_key"]
    assert (item["type"], item["origin"], item["tags"], item["session_id"]) == (
        "failure",
        "tool",
        ("shop",),
        "one",
    )


def test_code_is_told_by_its_first_lines():
    failed = failed_execution(
        TRACEBACK, "Let us see:\n```python\n\n# now\nimport shop\nshop.open()\n```\nDone."
    )
    assert described(failed) == "code(import shop; shop.open()) failed: ConnectionError: refused"
    assert described(failed_execution(TRACEBACK, "")) == "code() failed: ConnectionError: refused"


def test_what_running_code_printed_is_known_in_both_generations():
    for text, fails in (
        ("exitcode: 0 (execution succeeded)\nCode output: 3", False),
        ("exitcode: 137 (execution failed)\nCode output: killed", True),
        ("The script ran, then exited with an error (POSIX exit code: 1)\nIts output was:\nno", True),
    ):
        assert is_execution(text)
        assert is_failed_execution(text) is fails
    assert not is_execution("I saw exitcode: 1 (execution failed) in the log")
