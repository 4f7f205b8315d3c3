"""A Typer program of two commands, whose `--help` is the reference for ours."""

import typer

app = typer.Typer()


@app.command()
def one(name: str = "a") -> None:
    """Print a name."""
    print(name)


@app.command()
def two(count: int = 1) -> None:
    """Print a number."""
    print(count)


if __name__ == "__main__":
    app()
