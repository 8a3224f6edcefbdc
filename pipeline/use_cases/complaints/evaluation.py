"""Requests that every complaints model must answer as its trainer did, edge cases among them."""

from __future__ import annotations

from typing import Any

_COMPLAINT: dict[str, Any] = {
    "company_response": "Closed with explanation",
    "issue": "Billing disputes",
    "narrative": "They charged me {$250.00} twice. I have called ten times, nothing has been resolved and they refuse to help.",
    "product": "Credit card",
    "state": "CA",
    "sub_product": None,
    "submitted_via": "Web",
    "timely_response": "Yes",
    "zip_code": "941XX",
}

GOLDEN_ROWS: list[dict[str, Any]] = [
    _COMPLAINT,
    {
        **_COMPLAINT,
        "narrative": "They apologized, corrected the mistake and I am satisfied. Thank you.",
        "company_response": "Closed with monetary relief",
    },
    # No consent to publish: what most complaints of the public file look like.
    {**_COMPLAINT, "narrative": None},
    # A text without one word, and one of a single word nobody used before.
    {**_COMPLAINT, "narrative": " ... !? \n\t"},
    {**_COMPLAINT, "narrative": "Donaudampfschifffahrtsgesellschaft"},
    # Other scripts, accents, marks that combine, a picture.
    {**_COMPLAINT, "narrative": "¡Quiero mi dinero! 銀行は返金を拒否しました。 Cafe\u0301 \U0001f620", "state": "Ünknown \u2603"},
    # Bytes that are no UTF-8.
    {**_COMPLAINT, "narrative": b"They \xff\xfe refuse to help."},
    # Longer than what counts, and longer than any training text.
    {**_COMPLAINT, "narrative": "They refuse to help and nothing has been resolved. " * 400},
    # Words that no vocabulary holds, and a code that is none.
    {**_COMPLAINT, "product": "Teleportation", "issue": "Arrived twice", "submitted_via": "Pigeon", "zip_code": "N/A", "state": "?"},
    # The same words, written otherwise.
    {**_COMPLAINT, "product": " CREDIT CARD ", "timely_response": "yes", "zip_code": " 94107-1234"},
    # Every column missing but the product.
    {**dict.fromkeys(_COMPLAINT), "product": "Mortgage"},
]
