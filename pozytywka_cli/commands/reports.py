"""A validation as a file: a page for people (html) or test results for CI (junit)."""

import html
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from pozytywka_cli import files
from pozytywka_cli.commands.console import literal
from pozytywka_cli.errors import UsageError

if TYPE_CHECKING:
    from pozytywka_cli.dataset.validate import Checked, Violation

STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;width:100%;margin-bottom:2rem}
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ddd}
td.number{text-align:right;font-variant-numeric:tabular-nums}tr.error td:first-child{border-left:4px solid #b00020}
tr.warning td:first-child{border-left:4px solid #d9a400}code{font-size:13px}"""


def parse(text: str) -> tuple[str, Path]:
    """`html=PATH` or `junit=PATH`.

    Raises:
        UsageError: another format, or no path.
    """
    kind, _, path = text.partition("=")
    if kind not in ("html", "junit") or not path:
        raise UsageError(f"--report {text!r} is no report", "Write it as html=report.html or junit=report.xml.")
    return kind, Path(path)


def write(kind: str, path: Path, checked: "Checked") -> None:
    """Write the report, whole or not at all."""
    files.write_text(path, page(checked) if kind == "html" else junit(checked))


def page(checked: "Checked") -> str:
    """The violations, then the profile, as one HTML page without anything from elsewhere."""
    violations = [
        (v.level, (v.table, v.rule, v.column or "", v.level, v.count, "; ".join(places(v)))) for v in checked.violations
    ]
    facts = [("", (f.table, f.column or "", f.statistic, f.value)) for f in checked.profile]
    lines = sum(reading.lines for reading in checked.readings.values())
    bad = sum(len(checked.bad(name)) for name in checked.readings)
    body = (
        f"<h1>Validation</h1><p>{lines:,} lines, {bad:,} of them bad.</p><h2>Violations</h2>"
        + _table(("table", "rule", "column", "level", "count", "examples"), violations)
        + "<h2>Profile</h2>"
        + _table(("table", "column", "statistic", "value"), facts)
    )
    head = f'<meta charset="utf-8"><title>pozytywka validate</title><style>{STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>\n'


def _table(columns: tuple[str, ...], rows: Sequence[tuple[str, tuple[object, ...]]]) -> str:
    head = "".join(f"<th>{column}</th>" for column in columns)
    body = "".join(f'<tr class="{kind}">{"".join(map(_cell, row))}</tr>' for kind, row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: object) -> str:
    if isinstance(value, int | float):
        return (
            f'<td class="number">{value:,.6g}</td>'
            if isinstance(value, float)
            else f'<td class="number">{value:,}</td>'
        )
    return f"<td>{html.escape(literal(str(value)))}</td>"


def junit(checked: "Checked") -> str:
    """One test suite for each table and one case for each rule it was held to; a violation of level error fails it."""
    from pozytywka_cli.dataset.tables import RULES

    suites = ElementTree.Element("testsuites", name="pozytywka validate")
    for table in dict.fromkeys([*checked.readings, *(v.table for v in checked.violations)]):
        broken = {rule: [v for v in checked.violations if (v.table, v.rule) == (table, rule)] for rule in RULES}
        failed = sum(any(v.level == "error" for v in found) for found in broken.values())
        suite = ElementTree.SubElement(suites, "testsuite", name=table, tests=str(len(RULES)), failures=str(failed))
        for rule, found in broken.items():
            case = ElementTree.SubElement(suite, "testcase", classname=table, name=rule)
            for violation in found:
                text = f"{violation.column or 'line'}: {violation.count:,}: {'; '.join(places(violation))}"
                if violation.level == "error":
                    ElementTree.SubElement(case, "failure", message=literal(text))
                else:
                    ElementTree.SubElement(case, "system-out").text = literal(text)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def places(violation: "Violation") -> list[str]:
    """Where a rule is broken: file:line: value."""
    return [f"{at.file}:{at.line}: {at.value}" if at.line else f"{at.file}: {at.value}" for at in violation.examples]
