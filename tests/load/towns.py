"""Several towns on one machine, each with a gunicorn of its own: what memory they take.

`python -m tests.load.towns COUNT`: each new town serves thirty families, then all are weighed.
"""

import asyncio
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.load import town
from tests.load.client import Browser
from tests.load.family import Family, Tally
from tests.load.process import Tree, begun, free_port, python, wait_for
from tests.load.site import CONFIG
from tests.sites import settle

VISITS = 30


def main(count: int) -> None:
    with tempfile.TemporaryDirectory(prefix="kiosque-towns-") as name, ExitStack() as stack:
        trees: list[Tree] = []
        for number in range(count):
            folder = Path(name) / str(number)
            folder.mkdir()
            trees.append(_open_town(folder, stack))
            weights = [tree.memory_mib() for tree in trees]
            rss, pss = (sum(weight[side] for weight in weights) for side in (0, 1))
            print(f"{number + 1} towns: {rss:.0f} MiB, shared pages once {pss:.0f} MiB", flush=True)


def _open_town(folder: Path, stack: ExitStack) -> Tree:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settle(folder, url, proxy="unix", letters=False)
    town.build(folder, VISITS)
    log = folder / "gunicorn.log"
    serve = python("-m", "gunicorn", "--config", CONFIG, "--bind", f"127.0.0.1:{port}")
    tree = stack.enter_context(
        begun([*serve, "app:create_app()"], log, {"KIOSQUE_DATA": str(folder)})
    )
    wait_for(("127.0.0.1", port), tree, log)
    asyncio.run(_visit(url))
    return tree


async def _visit(url: str) -> None:
    """Each family signs in, one at a time."""
    for number in range(VISITS):
        browser = Browser(f"127.1.0.{number + 1}")
        await Family(town.code(number), url, browser, Tally(), hurry=True).sign_in()
        await browser.close()


if __name__ == "__main__":
    main(int(sys.argv[1]))
