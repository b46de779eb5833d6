"""Make the files of the demo again: an invented town of 8 000, always the same.

    python data/demo/generate.py && python data/demo/generate_october.py

Every name, address and amount is drawn from a fixed seed. Prices follow the family's
*quotient familial*; days follow the school calendar of zone B.
"""

import calendar
import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from random import Random

FOLDER = Path(__file__).parent
FAMILIES, CHILDREN = 400, 700
MONTHS = [date(2025 + (10 + i) // 12, (10 + i) % 12 + 1, 1) for i in range(12)]
TODAY = date(2026, 11, 24)

HOLIDAYS = [
    (date(2025, 10, 18), date(2025, 11, 2)),
    (date(2025, 12, 20), date(2026, 1, 4)),
    (date(2026, 2, 14), date(2026, 3, 1)),
    (date(2026, 4, 11), date(2026, 4, 26)),
    (date(2026, 7, 4), date(2026, 8, 31)),
    (date(2026, 10, 17), date(2026, 11, 1)),
]
PUBLIC_HOLIDAYS = {
    date(2025, 11, 11), date(2026, 4, 6), date(2026, 5, 1), date(2026, 5, 8), date(2026, 5, 14),
    date(2026, 5, 25), date(2026, 7, 14),
}  # fmt: skip

# Prices in cents, by quotient familial, from the lowest to the highest.
MEAL = [110, 185, 260, 345, 430, 515]
HALF_HOUR = [45, 62, 80, 98, 116, 134]
WEDNESDAY = [640, 860, 1090, 1330, 1580, 1850]
NURSERY_HOUR = [52, 88, 131, 178, 232, 291]
BRACKETS = "ABCDEF"

LAST_NAMES = """Martin Bernard Thomas Petit Robert Richard Durand Dubois Moreau Laurent Simon Michel
Lefebvre Leroy Roux David Bertrand Morel Fournier Girard Bonnet Dupont Lambert Fontaine Rousseau
Vincent Muller Lefèvre Faure Andre Mercier Blanc Guérin Boyer Garnier Chevalier François Legrand
Gauthier Garcia Perrin Robin Clément Morin Nicolas Henry Roussel Mathieu Gautier Masson Marchand
Duval Denis Dumont Marie Lemaire Noël Meyer Dufour Meunier Brun Blanchard Giraud Joly Rivière Lucas
Brunet Gaillard Barbier Arnaud Martínez Gérard Roche Renard Schmitt Roy Leroux Colin Vidal Caron
Picard Roger Fabre Aubert Lemoine Renaud Dumas Lacroix Olivier Philippe Bourgeois Pierre Benoît Rey
Leclerc Payet Rolland Leclercq Guillaume Lecomte Lopez Jean Dupuy Guillot Hubert Berger Carpentier
Sanchez Dupuis Moulin Louis Deschamps Huet Vasseur Perez Boucher Fleury Royer Klein Jacquet Adam
Diallo Benali Nguyen Traoré Haddad Kowalski Ferreira""".split()
PARENT_NAMES = """Camille Julien Sophie Nicolas Émilie Thomas Aurélie Sébastien Céline David Laure
Mathieu Élodie Guillaume Marion Antoine Hélène Romain Caroline Olivier Delphine Benoît Sarah Karim
Fatou Mehdi Claire Vincent Anaïs Pierre Nadia Yann Audrey Gaël Sabrina Loïc""".split()
CHILD_NAMES = """Léa Gabriel Emma Raphaël Jade Léo Louise Louis Alice Arthur Ambre Jules Rose Maël
Anna Noah Alba Adam Romy Lucas Mia Hugo Lina Sacha Julia Malo Léna Isaac Inès Naël Zoé Éden Agathe
Tiago Iris Marius Nina Théo Jeanne Nolan Margaux Ethan Manon Paul Capucine Aaron Lou Robin Apolline
Basile Myriam Ismaël Aminata Yanis Noémie Côme Victoire Samuel Charlie Élise""".split()
STREETS = """rue de la Mairie,rue des Lilas,allée des Tilleuls,rue du Moulin,impasse des Vignes,
rue de l’Église,avenue de la Gare,rue Jules-Ferry,chemin des Prés,rue du Stade,place du Marché,
rue des Écoles,square Molière,rue du Lavoir,route de la Forêt""".replace("\n", "").split(",")


@dataclass
class Child:
    name: str
    born_on: date
    nursery: bool
    habits: dict[str, float]


@dataclass
class Family:
    code: str
    name: str
    parents: list[tuple[str, str]]
    address: str
    bracket: int
    pays: str
    children: list[Child] = field(default_factory=list)


def school_days(month: date) -> Iterator[date]:
    for day in range(1, calendar.monthrange(month.year, month.month)[1] + 1):
        on = month.replace(day=day)
        away = any(start <= on <= end for start, end in HOLIDAYS)
        if on.weekday() < 5 and not away and on not in PUBLIC_HOLIDAYS:
            yield on


def make_families(random: Random) -> list[Family]:
    codes = random.sample(range(1000, 9999), FAMILIES)
    families = []
    for code in codes:
        last = random.choice(LAST_NAMES)
        parents = [(random.choice(PARENT_NAMES), last)]
        if random.random() < 0.75:
            other = last if random.random() < 0.6 else random.choice(LAST_NAMES)
            parents.append((random.choice(PARENT_NAMES), other))
        address = f"{random.randint(1, 90)} {random.choice(STREETS)}"
        pays = random.choices(["counter", "late", "behind"], [78, 14, 8])[0]
        families.append(Family(f"F{code}", last, parents, address, random.randrange(6), pays))
    for i in range(CHILDREN):
        family = families[i] if i < FAMILIES else random.choice(families)
        while len(family.children) >= 4:
            family = random.choice(families)
        family.children.append(make_child(random, family))
    return families


def make_child(random: Random, family: Family) -> Child:
    taken = {child.name.split()[0] for child in family.children}
    first = random.choice([name for name in CHILD_NAMES if name not in taken])
    nursery = random.random() < 0.14
    youngest, oldest = (
        (date(2023, 9, 1), date(2025, 6, 1)) if nursery else (date(2015, 3, 1), date(2022, 11, 1))
    )
    born_on = youngest + timedelta(days=random.randrange((oldest - youngest).days))
    habits = {
        "meal": random.choice([1.0, 0.95, 0.75, 0.5, 0.25]),
        "after": random.choice([0.0, 0.0, 0.25, 0.6, 0.9]),
        "wednesday": random.choice([0.0, 0.0, 0.5, 0.9]),
        "hours": random.choice([24, 32, 40]),
    }
    return Child(f"{first} {family.name}", born_on, nursery, habits)


def lines_of(random: Random, family: Family, child: Child, month: date) -> Iterator[list[str]]:
    """Yield the invoice lines: service, child, label, quantity, unit price, amount."""
    days = list(school_days(month))
    bracket = BRACKETS[family.bracket]
    if child.nursery:
        weeks = 1 if month.month == 8 else 4
        hours = int(child.habits["hours"]) * weeks + random.choice([0, 0, 2, 3, 5])
        halves = hours * 2 + random.choice([0, 1])
        price = NURSERY_HOUR[family.bracket]
        # A price by the hour is even, since half hours are billed.
        price += price % 2
        yield row("Multi-accueil", child, f"Heures d’accueil, tarif {bracket}", halves * 50, price)
        return
    school = [day for day in days if day.weekday() != 2]
    wednesdays = [day for day in days if day.weekday() == 2]
    meals = sum(random.random() < child.habits["meal"] for _ in school)
    halves = sum(
        random.choice([1, 2, 3]) for _ in school if random.random() < child.habits["after"]
    )
    outings = sum(random.random() < child.habits["wednesday"] for _ in wednesdays)
    if meals:
        label = f"Repas, tarif {bracket}"
        yield row("Restauration scolaire", child, label, meals * 100, MEAL[family.bracket])
    if halves:
        label = f"Demi-heures de garderie, tarif {bracket}"
        yield row("Périscolaire", child, label, halves * 100, HALF_HOUR[family.bracket])
    if outings:
        label = f"Journées, tarif {bracket}"
        yield row("Mercredi", child, label, outings * 100, WEDNESDAY[family.bracket])


def row(service: str, child: Child, label: str, hundredths: int, price: int) -> list[str]:
    amount = hundredths * price // 100
    assert amount * 100 == hundredths * price
    return [service, child.name, label, decimal(hundredths), decimal(price), decimal(amount)]


def decimal(hundredths: int) -> str:
    return f"{hundredths // 100},{hundredths % 100:02d}"


def write(name: str, header: str, rows: list[list[str]]) -> None:
    with (FOLDER / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\n")
        writer.writerow(header.split(";"))
        writer.writerows(rows)


def main() -> None:
    random = Random("Clairvigne")
    families = make_families(random)
    write(
        "familles.csv",
        "code_famille;role;nom;prenom;courriel;telephone;adresse;code_postal;"
        "ville;date_naissance;services",
        [person for family in families for person in people_of(random, family)],
    )
    settled = []
    for month in MONTHS:
        settled += write_month(random, families, month)
    settled.sort(key=lambda cells: (cells[1], cells[0]))
    write(
        "encaissements.csv", "numero_facture;date_encaissement;mode;montant;auteur;motif", settled
    )


def people_of(random: Random, family: Family) -> Iterator[list[str]]:
    """Yield a row of `familles.csv` for each parent, then for each child."""
    for number, (first, last) in enumerate(family.parents):
        email = f"{family.code.lower()}-{number + 1}@example.org"
        phone = f"02 61 91 {random.randint(10, 99)} {random.randint(10, 99)}"
        home = (family.address, "44999", "Clairvigne")
        yield [family.code, "responsable", last, first, email, phone, *home, "", ""]
    for child in family.children:
        first, _, last = child.name.partition(" ")
        unknown = [""] * 5
        born_on, services = child.born_on.isoformat(), "|".join(services_of(child))
        yield [family.code, "enfant", last, first, *unknown, born_on, services]


def services_of(child: Child) -> list[str]:
    if child.nursery:
        return ["Multi-accueil"]
    habits = {
        "meal": "Restauration scolaire",
        "after": "Périscolaire",
        "wednesday": "Mercredi",
    }
    return [service for habit, service in habits.items() if child.habits[habit]]


def write_month(random: Random, families: list[Family], month: date) -> list[list[str]]:
    """Write the invoices of a month; return their payments at the counter."""
    following = (month + timedelta(days=31)).replace(day=1)
    issued = following.replace(day=5)
    due = following.replace(day=calendar.monthrange(following.year, following.month)[1])
    invoices, settled, number = [], [], 0
    for family in families:
        lines = [
            line for child in family.children for line in lines_of(random, family, child, month)
        ]
        if not lines:
            continue
        number += 1
        name = f"{month:%Y-%m}-{number:04d}"
        head = [family.code, name, issued.isoformat(), due.isoformat(), f"{month:%Y-%m}"]
        invoices += [[*head, *line, ""] for line in lines]
        total = sum(int(line[5].replace(",", "")) for line in lines)
        if paid_on := payment_day(random, family, issued, due):
            mode, reason = random.choices(
                [
                    ("cheque", "chèque remis à l’accueil"),
                    ("cash", "espèces remises à l’accueil"),
                    ("direct_debit", "prélèvement mensuel"),
                    ("cesu", "tickets CESU"),
                ],
                [30, 15, 50, 5],
            )[0]
            settled.append(
                [name, paid_on.isoformat(), mode, decimal(total), "Régie de Clairvigne", reason]
            )
    write(
        f"factures-{month:%Y-%m}.csv",
        "code_famille;numero_facture;date_emission;date_echeance;"
        "periode;service;enfant;libelle;quantite;prix_unitaire;montant;fichier_pdf",
        invoices,
    )
    return settled


def payment_day(random: Random, family: Family, issued: date, due: date) -> date | None:
    """Return the day when the family paid at the counter; None if it has not by TODAY."""
    recent = (TODAY - issued).days
    if family.pays == "behind" and recent < 112:
        return None
    if family.pays == "late" and recent < 60:
        return None
    if random.random() < (0.5 if recent < 30 else 0.02 if recent < 60 else 0):
        return None
    paid_on = issued + timedelta(days=random.randint(2, (due - issued).days))
    return paid_on if paid_on < TODAY else None


if __name__ == "__main__":
    main()
