"""What a step came to as a page of Markdown: what a person sees of it in a pipeline's UI."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from serving.verdict import Reason, Verdict


def node_page(node: str, verdict: Verdict | None, figure: str, figures: Mapping[str, Any]) -> str:
    """One node: its verdict first, then the figures."""
    if verdict is None:
        return _page(f"{node}: done", figure, _table(("figure", "value"), figures.items()))
    if verdict.accepted:
        return _page(f"{node}: accepted", figure, _table(("figure", "value"), figures.items()))
    return _page(f"{node}: REFUSED", figure, reasons_table(verdict.reasons), _table(("figure", "value"), figures.items()))


def refusal_page(use_case: str, verdict: Verdict, live: int | None) -> str:
    """A run that a gate ended: nothing failed, and nothing was published."""
    lead = f"The candidate was **refused by {_cell(verdict.gate)}**. That is a result and no failure: nothing was published."
    return _page(f"REFUSED {use_case}", lead, reasons_table(verdict.reasons), f"Live is: {f'v{live}' if live else 'nothing'}.")


def plan_page(use_case: str, decision: str, live: int | None, values: Mapping[str, str]) -> str:
    """What a run set out with."""
    lead = f"Live is: {f'v{live}' if live else 'nothing'}."
    if decision == "unchanged":
        lead = f"Nothing is new: v{live} was made of the same data, configuration and code. The run ends here."
    return _page(f"{use_case}: {decision}", lead, _table(("value", "is"), values.items()))


def live_page(use_case: str, version: int | None, answers: Sequence[tuple[str, str]]) -> str:
    """What is live at the end of a run, and what it answered."""
    return _page(
        f"LIVE {use_case} v{version}", "The published version was asked its first golden request.", _table(("over", "it said"), answers)
    )


def reasons_table(reasons: Sequence[Reason]) -> str:
    """Each reason with what was measured and what is allowed."""
    rows = [(reason.message, reason.measured, reason.limit, reason.code) for reason in reasons]
    return _table(("reason", "measured", "limit", "code"), rows)


def _page(title: str, *parts: str) -> str:
    return "\n\n".join([f"# {_cell(title)}", *[part for part in parts if part]]) + "\n"


def _table(head: Sequence[str], rows: Any) -> str:
    lines = ["| " + " | ".join(_cell(value) for value in row) + " |" for row in rows]
    return "\n".join([f"| {' | '.join(head)} |", "|" + " --- |" * len(head), *lines]) if lines else ""


def _cell(value: Any) -> str:
    """Text that stays in its cell: it may come from data, so it is no markup either."""
    if value is None:
        return ""
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    text = " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|")
    return text.replace("<", "&lt;").replace(">", "&gt;")
