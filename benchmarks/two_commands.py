"""A Typer program of two commands: what `--help` costs at least."""

import typer

app = typer.Typer()


@app.command()
def one(name: str = "a") -> None:
    """Say a name."""
    print(name)


@app.command()
def two(count: int = 1) -> None:
    """Count."""
    print(count)


if __name__ == "__main__":
    app()
