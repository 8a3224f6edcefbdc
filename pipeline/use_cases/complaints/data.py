"""The complaint rows that ship: 4,000 synthetic ones, written by this program in the columns of the public complaint file.

No consumer wrote them and no company is meant. Whether a row's consumer disputes is drawn from the tone of the narrative's sentences
and from what the company did, with chance on top: nobody can tell better than the probability that the rows are drawn with.
"""

from __future__ import annotations

import csv
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.use_cases.shipped import made_once

ROWS = 4000
_SEED = 2015
# The schema's names to those of the public file; the use case's YAML maps them back.
HEADERS = {
    "product": "Product",
    "sub_product": "Sub-product",
    "issue": "Issue",
    "narrative": "Consumer complaint narrative",
    "state": "State",
    "zip_code": "ZIP code",
    "submitted_via": "Submitted via",
    "company_response": "Company response to consumer",
    "timely_response": "Timely response?",
    "consumer_disputed": "Consumer disputed?",
}

# Product: (what it adds to the log odds of a dispute, its sub-products, its issues, what its narratives call it).
_PRODUCTS: dict[str, tuple[float, list[str], list[str], list[str]]] = {
    "Mortgage": (
        0.5,
        ["Conventional fixed mortgage", "FHA mortgage", "VA mortgage", "Home equity loan or line of credit"],
        ["Loan servicing, payments, escrow account", "Loan modification,collection,foreclosure", "Settlement process and costs"],
        ["mortgage", "home loan", "escrow account", "loan modification"],
    ),
    "Debt collection": (
        0.0,
        ["Credit card", "Medical", "Payday loan", "Other (i.e. phone, health club, etc.)"],
        ["Cont'd attempts collect debt not owed", "Disclosure verification of debt", "Communication tactics"],
        ["debt", "medical bill", "collection account", "old phone bill"],
    ),
    "Credit reporting": (
        -0.3,
        [""],
        ["Incorrect information on credit report", "Credit reporting company's investigation", "Unable to get credit report/credit score"],
        ["credit report", "credit file", "credit score", "account on my report"],
    ),
    "Credit card": (
        0.2,
        [""],
        ["Billing disputes", "APR or interest rate", "Identity theft / Fraud / Embezzlement", "Closing/Cancelling account"],
        ["credit card", "card account", "annual fee", "card statement"],
    ),
    "Bank account or service": (
        0.0,
        ["Checking account", "Savings account", "(CD) Certificate of deposit"],
        ["Account opening, closing, or management", "Deposits and withdrawals", "Problems caused by my funds being low"],
        ["checking account", "savings account", "overdraft fee", "deposit"],
    ),
    "Student loan": (
        -0.2,
        ["Federal student loan servicing", "Non-federal student loan"],
        ["Dealing with my lender or servicer", "Can't repay my loan"],
        ["student loan", "repayment plan", "deferment"],
    ),
}
_PRODUCT_SHARES = [22, 24, 20, 14, 12, 8]
_RESPONSES = {
    "Closed with explanation": (0.5, 70),
    "Closed with non-monetary relief": (-0.6, 14),
    "Closed with monetary relief": (-1.4, 11),
    "Closed": (0.2, 5),
}
_WAYS = {"Web": (0.1, 78), "Referral": (-0.2, 10), "Phone": (-0.3, 7), "Postal mail": (0.0, 4), "Fax": (0.0, 1)}
# State to its first and last three-digit ZIP prefix.
_STATES = {
    "CA": (900, 961), "TX": (750, 799), "FL": (320, 349), "NY": (100, 149), "GA": (300, 319), "IL": (600, 629), "NJ": (70, 89),
    "PA": (150, 196), "OH": (430, 459), "VA": (220, 246), "MD": (206, 219), "NC": (270, 289), "MI": (480, 499), "WA": (980, 994),
    "AZ": (850, 865), "MA": (10, 27), "CO": (800, 816), "TN": (370, 385), "MN": (550, 567), "PR": (6, 9),
}  # fmt: skip

_OPENINGS = [
    "I am writing about my {thing} with this company.",
    "On XX/XX/2015 I noticed a problem with my {thing}.",
    "My {thing} has been with them for {years} years.",
    "This is about my {thing}, which was handled by XXXX XXXX.",
    "My {thing} was changed without any notice to me.",
    "In XX/XX/2015 they charged me {amount} on my {thing}.",
    "José, who works at the branch, first told me about the {thing} – that was in XX/XX/2015.",
    "I called about my {thing} and was given case number XXXX.",
]
_FACTS = [
    "The amount in question is {amount}.",
    "I sent the documents by certified mail on XX/XX/2015.",
    "The statement shows {amount} where it should show {other}.",
    "I spoke with a representative and then with a manager in another department.",
    "They asked for a copy of my driver's license and I faxed it.",
    "My spouse is a co-signer on the account.",
    "The letter said to allow {days} business days.",
    "I have attached copies of the bills and of my letters.",
    "The account was opened in XX/XX/200X.",
    "A payment of {amount} was posted on XX/XX/2015.",
]
# How far a sentence moves the log odds, and sentences of that kind.
_TONES = {
    1.0: [
        "Nobody will take responsibility and nothing has been resolved.",
        "They keep giving me the runaround and I am furious.",
        "This is outrageous and I refuse to accept their answer.",
        "Their response is a lie and they ignored every document I sent.",
        "I have called {days} times and they hang up on me.",
        "They are stealing from people and I want my money back now.",
        "I demand a full investigation and I will hire an attorney.",
        "The problem is still not fixed and they refuse to help.",
        "The so-called explanation is a form letter that answers nothing.",
        "This is the worst company I have ever dealt with, it is a nightmare.",
    ],
    0.4: [
        "I am disappointed with how long this is taking.",
        "I never received an answer to my second letter.",
        "No one could explain the fee to me.",
        "I feel that I was misled about the terms.",
        "It has been very stressful for my family.",
    ],
    -0.4: [
        "I would simply like to understand how this happened.",
        "Please correct the record and send me a confirmation.",
        "I hope that this can be settled soon.",
        "I understand that mistakes happen.",
        "The representative was polite and took notes.",
    ],
    -1.0: [
        "They apologized and have since corrected the mistake, thank you.",
        "The refund arrived and I am satisfied with the outcome.",
        "I appreciate that someone finally helped me.",
        "The manager was very helpful and the matter is resolved now.",
        "I am grateful for the quick reply and consider this closed.",
        "Everything was explained to me clearly and I am happy with it.",
        "They credited my account right away, which was kind.",
    ],
}  # fmt: skip
_NOTHING_SAID = 0.06
# Chosen so that about three of ten dispute, and that the drawing probability itself has an AUC of about 0.86.
_BASE, _TONE_SCALE = -1.55, 1.25


@dataclass(frozen=True)
class Drawn:
    """A row by the schema's names, and the probability with which its consumer disputes."""

    row: dict[str, str]
    probability: float


def source() -> Path:
    """The CSV file with the synthetic rows, made on first use.

    Raises:
        UsageError: there is no room for it.
    """
    return made_once("complaints", Path(__file__), _write) / "synthetic_complaints.csv"


def draw(rows: int, seed: int = _SEED) -> Iterator[Drawn]:
    """Synthetic complaints, the same ones for the same seed."""
    dice = random.Random(seed)
    for _ in range(rows):
        yield _drawn(dice)


def _write(folder: Path) -> None:
    with (folder / "synthetic_complaints.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADERS.values())
        writer.writerows([drawn.row[name] for name in HEADERS] for drawn in draw(ROWS))


def _drawn(dice: random.Random) -> Drawn:
    product = dice.choices(list(_PRODUCTS), _PRODUCT_SHARES)[0]
    odds, sub_products, issues, things = _PRODUCTS[product]
    response, way = (dice.choices(list(table), [share for _, share in table.values()])[0] for table in (_RESPONSES, _WAYS))
    timely = "Yes" if dice.random() < 0.96 else "No"
    narrative, tone = _narrative(dice, things)
    odds += _BASE + _TONE_SCALE * tone + _RESPONSES[response][0] + _WAYS[way][0] + (1.0 if timely == "No" else 0.0)
    probability = 1 / (1 + math.exp(-odds))
    state = dice.choice(list(_STATES))
    known = dice.random() >= 0.08
    return Drawn(
        {
            "product": product,
            "sub_product": dice.choice(sub_products),
            "issue": dice.choice(issues),
            "narrative": narrative,
            "state": state if known else "",
            "zip_code": f"{dice.randint(*_STATES[state]):03d}XX" if known else "",
            "submitted_via": way,
            "company_response": response,
            "timely_response": timely,
            "consumer_disputed": "Yes" if dice.random() < probability else "No",
        },
        probability,
    )


def _narrative(dice: random.Random, things: list[str]) -> tuple[str, float]:
    """A narrative, and the sum of its sentences' tones; some consumers did not consent to have theirs published."""
    mood = dice.gauss(0, 1.4)
    weights = [math.exp(mood * tone) for tone in _TONES]
    tones = dice.choices(list(_TONES), weights, k=dice.randint(1, 3))
    sentences = dice.sample(_FACTS, dice.randint(1, 4))
    for tone in tones:
        sentences.append(dice.choice([sentence for sentence in _TONES[tone] if sentence not in sentences]))
    dice.shuffle(sentences)
    text = " ".join([dice.choice(_OPENINGS), *sentences]).format(
        thing=dice.choice(things),
        amount=f"{{${dice.randint(10, 9999)}.00}}",
        other=f"{{${dice.randint(10, 9999)}.00}}",
        days=dice.randint(3, 30),
        years=dice.randint(2, 20),
    )
    return ("", 0.0) if dice.random() < _NOTHING_SAID else (text, sum(tones))
