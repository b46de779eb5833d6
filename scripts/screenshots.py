"""Take the pictures of docs/guide-regisseur.md: close the demo's October as the guide says.

`python -m scripts.screenshots` starts a demo of its own in a folder that it erases, and writes
docs/screenshots/regisseur-*.png; a palette of 64 colours halves them.
"""

import re
import tempfile
import time
from pathlib import Path

import pyotp
from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import Demo, start_demo

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "screenshots"
STATEMENT = ROOT / "data" / "demo" / "releve-2026-10.cfonb"
SIZE = {"width": 1000, "height": 760}
HEIGHT = 560


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        demo = start_demo(Path(folder))
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium")
        try:
            page = browser.new_page(viewport=SIZE, locale="fr-FR", color_scheme="light")
            come_in(page, demo)
            close_october(page, demo)
        finally:
            browser.close()
            demo.stop()


def come_in(page: Page, demo: Demo) -> None:
    """Sign in as the régisseur that the demo prints."""
    found = re.search(
        r"mairie : (regisseur@\S+)  mot de passe : (\S+)  clé TOTP : (\w+)\n", demo.output
    )
    if not found:
        raise SystemExit(demo.output)
    email, password, key = found.groups()
    page.goto(f"{demo.url}/mairie/connexion")
    page.fill("[name=email]", email)
    page.fill("[name=password]", password)
    page.click("main button:not([type])")
    # The next code: the demo may have used the present one.
    page.fill("[name=code]", pyotp.TOTP(key).at(int(time.time()) + 30))
    page.click("main button:not([type])")
    page.wait_for_url(f"{demo.url}/mairie")


def close_october(page: Page, demo: Demo) -> None:
    month = f"{demo.url}/mairie/mois/2026-10"
    page.goto(month)
    picture(page, "mois")
    page.click("main a:has-text('Charger un relevé')")
    page.set_input_files("[name=file]", STATEMENT)
    page.click("text=Charger ce fichier")
    picture(page, "banque", "main h2")
    while page.locator("main button:has-text('Confirmer')").count():
        page.locator("main button:has-text('Confirmer')").first.click()
    page.click("main a:has-text('18,74')")
    page.select_option("[name=kind]", "fee")
    page.fill("[name=reason]", "commissions d’octobre")
    picture(page, "mouvement")
    page.click("main button:has-text('Expliquer')")
    page.goto(month)
    page.click("main a:has-text('Voir le bordereau')")
    picture(page, "bordereau")
    page.check("[name=seen]")
    page.click("main button:has-text('Rendre définitif')")
    page.goto(month)
    picture(page, "mois-juste")
    page.click("main a:has-text('Arrêter octobre 2026')")
    picture(page, "arreter")


def picture(page: Page, name: str, since: str = "main") -> None:
    """Take a picture of one screen of the page, from this element down."""
    box = page.locator(since).first.bounding_box() or {"y": 0}
    clip = {"x": 0, "y": box["y"], "width": SIZE["width"], "height": HEIGHT}
    page.screenshot(path=PICTURES / f"regisseur-{name}.png", full_page=True, clip=clip)


if __name__ == "__main__":
    main()
