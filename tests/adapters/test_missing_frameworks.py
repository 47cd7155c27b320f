"""Without its framework an adapter says what to install, and nothing else of the library minds."""

import subprocess
import sys

import pytest

CASES = {
    "autogen": ("autogen", 'pip install "autogen[openai]>=0.14,<1"'),
    "agentchat": ("autogen_core", 'pip install "remanence[agentchat]"'),
}


@pytest.mark.parametrize("adapter", CASES)
def test_the_error_names_the_command(adapter):
    module, command = CASES[adapter]
    script = f"import sys; sys.modules[{module!r}] = None; import remanence.adapters.{adapter}"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert run.returncode == 1
    assert "MissingExtraError" in run.stderr.splitlines()[-1]
    assert command in run.stderr.splitlines()[-1]
