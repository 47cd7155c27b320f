"""What looks at every memory before it is stored: secrets are taken out, what is aimed at the model is set apart."""

from __future__ import annotations

from dataclasses import replace

from remanence.domain.records import Draft
from remanence.domain.screening import screen
from remanence.screens.secrets import SecretRedactor


class Guard:
    """A `Screen`: secrets are redacted with a visible mark, what orders the model about goes into quarantine."""

    def __init__(self, *, secrets: bool = True, injections: bool = True) -> None:
        self._redactor = SecretRedactor() if secrets else None
        self._injections = injections

    def __call__(self, draft: Draft) -> Draft:
        if self._redactor is not None:
            draft = self._redacted(draft, self._redactor)
        if not self._injections or draft.quarantine is not None:
            return draft
        # All that stands in a block for a prompt, and what a person may be shown with it.
        for text in (draft.content, draft.source or "", draft.type, *draft.tags, draft.key or ""):
            found = screen(text, origin=draft.origin) if text else None
            if found is not None:
                return replace(draft, quarantine=f"{found.kind}: {found.reason}")
        return draft

    @staticmethod
    def _redacted(draft: Draft, redactor: SecretRedactor) -> Draft:
        return replace(
            draft,
            content=redactor.redact(draft.content).text,
            metadata=redactor.redact_json(dict(draft.metadata)) if draft.metadata else draft.metadata,
            tags=tuple(dict.fromkeys(redactor.redact(tag).text for tag in draft.tags)),
            source=None if draft.source is None else redactor.redact(draft.source).text,
        )
