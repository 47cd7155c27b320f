"""Copies the example files into the pages that show them, after their `<!-- examples/... -->` marks."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
MARK = re.compile(r"(<!-- (examples/\w+\.py) -->\n)(?:\n?```python\n.*?^```\n)?", re.MULTILINE | re.DOTALL)

for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
    text = page.read_text()
    shown = MARK.sub(lambda m: f"{m[1]}\n```python\n{(ROOT / m[2]).read_text()}```\n", text)
    if shown != text:
        page.write_text(shown)
        print(f"updated {page.relative_to(ROOT)}")
