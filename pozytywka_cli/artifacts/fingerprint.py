"""A digest of the code and the libraries that a family computes with: when it changes, models are trained again.

It covers the modules of the family and of the trunk that read data, compute features, or fit or measure models, and
the versions of all libraries that those import. Comments, docstrings and the messages of errors do not count, nor do
modules that only hold texts, reports or charts. The values of settings are a part of the fingerprint themselves.
"""

import ast
import hashlib
from collections.abc import Iterator, Set
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
TRUNK = ("dataset", "catalogue", "learning.py", "factorization.py", "tuning.py", "evaluation.py")
IGNORED = {"card.py", "charts.py", "settings.py", "profile.py", "quarantine.py", "sample"}
ANSWERING = {"prepare.py", "online.py"}  # modules that no model is fitted with


@cache
def code_digest(family: str) -> str:
    """Return the digest for the family whose package or module has this name."""
    modules = [_parsed(path.read_bytes()) for path in _modules(family, IGNORED | ANSWERING)]
    distributions = metadata.packages_distributions()
    names = {name for _, libraries in modules for library in libraries for name in distributions.get(library, [])}
    versions = [f"{name} {metadata.version(name)}" for name in sorted(names)]
    return hashlib.sha256("\n".join([*(code for code, _ in modules), *versions]).encode()).hexdigest()


@cache
def source_digest(family: str) -> str:
    """Return a digest of all modules that answers come from, as they are written; it takes a few milliseconds."""
    ignored = IGNORED - {"settings.py"}
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in _modules(family, ignored))).hexdigest()


def _modules(family: str, ignored: Set[str]) -> Iterator[Path]:
    """Yield the files of the family and of the trunk, without the package's own `__init__.py`, which describes it."""
    spec = find_spec(family)
    module = Path(spec.origin if spec and spec.origin else "")
    for start in (module.parent if module.name == "__init__.py" else module, *(PACKAGE / name for name in TRUNK)):
        for path in sorted(start.rglob("*.py")) if start.is_dir() else [start]:
            if path != module.parent / "__init__.py" and not ignored & set(path.relative_to(start.parent).parts):
                yield path


@cache  # the trunk is the same for every family
def _parsed(source: bytes) -> tuple[str, set[str]]:
    """Return the code without texts, and the libraries that it imports."""
    tree = ast.parse(source)
    imported = [name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names]
    imported += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return ast.dump(_WithoutTexts().visit(tree)), {name.partition(".")[0] for name in imported} - {PACKAGE.name}


class _WithoutTexts(ast.NodeTransformer):
    """Removes expressions without an effect (docstrings) and what is raised."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        return ast.Pass() if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        return ast.Raise()
