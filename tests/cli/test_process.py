"""The command line as a real process: start-up, streams, signals, pipes."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

COMMAND = [sys.executable, "-W", "error", "-m", "remanence"]


@pytest.mark.parametrize("arguments", [["--help"], ["recall", "--help"], ["--version"], []])
def test_help_loads_nothing_heavy(arguments):
    script = (
        "import atexit, json, sys\n"
        "atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr))\n"
        f"sys.argv = ['remanence', *{arguments!r}]\n"
        "from remanence.cli import main\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in json.loads(done.stderr)}
    assert (
        done.stdout
        and not {"numpy", "onnxruntime", "simsimd", "sqlite3", "httpx", "Stemmer", "asyncio"} & loaded
    )


def test_a_day_in_a_shell(process, tmp_path):
    process(
        "remember", "team", "-", "--type", "decision", stdin="Wir nehmen PostgreSQL – für alles ✓\n".encode()
    )
    hit = process("recall", "team", "PostgreSQL", "--json").json["hits"][0]
    assert hit["content"] == "Wir nehmen PostgreSQL – für alles ✓"
    ascii_only = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    assert (
        process("recall", "team", "PostgreSQL", "--json", env=ascii_only).json["hits"][0]["content"]
        == hit["content"]
    )
    assert "PostgreSQL" in process("recall", "team", "PostgreSQL", env=ascii_only).out
    assert "PostgreSQL" in process("context", "team", "PostgreSQL", env=ascii_only).out
    exported = process("export").out.encode()
    assert "added 1 of 1" in process("--db", tmp_path / "b.db", "import", "-", stdin=exported).out
    assert process("doctor").code == 0
    refused = process("show", "team", "nope", "--json", code=1)
    assert refused.out == "" and json.loads(refused.err)["error"]["code"] == "not_found"
    assert process("recall", "team", code=2).out == ""


def test_python_s_own_flags_and_bad_arguments_leave_no_trace(process):
    for arguments in (("remember", "team", b"\xff\xfe"), ("remember", "team\udcff", "x")):
        done = subprocess.run([*COMMAND, *arguments], capture_output=True, check=False)
        assert (
            done.returncode == 1
            and done.stderr.startswith(b"error[invalid_input]: ")
            and b"Traceback" not in done.stderr
        )


def test_a_reader_that_leaves_early_is_no_fault(process):
    process("remember", "team", "a fact " + "x" * 90_000)
    for _ in range(4):
        process("remember", "team", "-", stdin=os.urandom(40_000).hex().encode())
    for command in (
        "export",
        "list team",
        "list team --json",
        "context team fact --max-tokens 90000",
        "--help",
    ):
        shell = f"{' '.join(COMMAND)} {command} | head -c 10"
        done = subprocess.run(["bash", "-c", shell], capture_output=True, timeout=60, check=False)
        assert len(done.stdout) == 10 and done.stderr == b"", (command, done.stderr)
    closed = subprocess.run(
        ["bash", "-c", f"{' '.join(COMMAND)} list team >&-"], capture_output=True, check=False
    )
    assert b"Traceback" not in closed.stderr


def test_ctrl_c_ends_with_130(process, tmp_path):
    process("remember", "team", "text")
    waiting = subprocess.Popen([*COMMAND, "import", "-"], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(1.5)
    waiting.send_signal(signal.SIGINT)
    try:
        waiting.wait(timeout=20)
    finally:
        waiting.kill()
    assert waiting.returncode == 130
    assert b"Traceback" not in waiting.communicate()[1]
    process("doctor")


def test_completion_is_offered(process):
    shown = process(
        "--show-completion",
        "bash",
        env={"SHELL": "/bin/bash", "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"},
    )
    assert "_REMANENCE_COMPLETE" in shown.out
