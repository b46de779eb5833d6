"""The command line: one door for every chore. `python app.py COMMAND --help` explains each."""

from kiosque.cli import checking, demonstration, families, gateways, loading, money, post
from kiosque.cli.base import main

__all__ = [
    "checking",
    "demonstration",
    "families",
    "gateways",
    "loading",
    "main",
    "money",
    "post",
]
