"""The 0.2 API's quickstart runs as printed: twice, in two processes, against the scripted model."""

import os
import subprocess
import sys
from pathlib import Path

from remanence.domain.context import CLOSE, OPEN
from remanence.testing.scripted_llm import ScriptedLLM

SCRIPT = Path(__file__).parents[2] / "examples" / "autogen_quickstart.py"
TOLD, QUESTION = "My name is Sarah and I prefer TypeScript.", "Which language should you use for me?"


def test_the_quickstart_remembers_in_its_second_process(tmp_path):
    with ScriptedLLM(lambda request: "Noted.") as llm:
        environment = os.environ | {
            "OPENAI_API_KEY": "sk-scripted",
            "OPENAI_BASE_URL": llm.base_url,
            "OPENAI_MODEL": "gpt-4o-mini",
            "REMANENCE_DB": str(tmp_path / "memory.db"),
            "REMANENCE_EMBEDDER": "hashing",
        }
        runs = [
            subprocess.run(
                [sys.executable, SCRIPT, message],
                env=environment,
                cwd=tmp_path,
                capture_output=True,
                text=True,
                timeout=120,
                check=True,
            )
            for message in (TOLD, QUESTION)
        ]
    assert f"user: {TOLD}" in runs[0].stdout
    first, second = llm.requests
    assert OPEN not in first.text
    assert TOLD in second.text.partition(OPEN)[2].partition(CLOSE)[0]
    assert second.tools == ["remember", "recall", "remember_failure"]
