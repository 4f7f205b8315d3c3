"""Reports of a validation: an HTML page for people, or JUnit test results for CI."""

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

from pozytywka_cli.commands.console import literal
from pozytywka_cli.dataset.checking.validate import Checked
from pozytywka_cli.dataset.tables import RULES
from pozytywka_cli.errors import UsageError


def parse(text: str) -> tuple[Callable[[Checked], str], Path]:
    """Split `html=PATH` or `junit=PATH` into the function that renders the report, and the path.

    Raises:
        UsageError: another format, or no path.
    """
    kind, _, path = text.partition("=")
    renderers = {"html": page, "junit": junit}
    if kind not in renderers or not path:
        raise UsageError(f"--report {text!r} cannot be used", "Write it as html=report.html or junit=report.xml.")
    return renderers[kind], Path(path)


def page(checked: Checked) -> str:
    """Render violations and profile as one HTML page that loads nothing from elsewhere."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("pozytywka_cli.commands")
    environment = Environment(loader=loader, autoescape=True, trim_blocks=True, undefined=StrictUndefined)
    environment.filters["literal"] = lambda value: literal(str(value))
    return environment.get_template("validation.html").render(
        violations=checked.violations, profile=checked.profile, rules=RULES, lines=checked.lines, bad=checked.bad_lines
    )


def junit(checked: Checked) -> str:
    """Write one test suite for each table and one test case for each rule; a violation of level error is a failure."""
    suites = ElementTree.Element("testsuites", name="pozytywka validate")
    for table in dict.fromkeys([*checked.readings, *(v.table for v in checked.violations)]):
        cases = {rule: [v for v in checked.violations if (v.table, v.rule) == (table, rule)] for rule in RULES}
        failed = sum(any(v.level == "error" for v in violations) for violations in cases.values())
        suite = ElementTree.SubElement(suites, "testsuite", name=table, tests=str(len(RULES)), failures=str(failed))
        for rule, violations in cases.items():
            case = ElementTree.SubElement(suite, "testcase", classname=table, name=rule)
            for v in violations:
                text = literal(f"{v.column or 'line'}: {v.count:,}: {'; '.join(map(str, v.examples))}")
                if v.level == "error":
                    ElementTree.SubElement(case, "failure", message=text)
                else:
                    ElementTree.SubElement(case, "system-out").text = text
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"
