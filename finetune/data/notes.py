"""Notes that come with transactions: context that decides a borderline case, and small talk that does not."""

from __future__ import annotations

import random
from typing import Literal

Situation = Literal["away", "online", "burst"]

# True of either side: it depends on whether the place is that of the transaction.
_WHEREABOUTS = (
    "app shows the cardholder in {spot}", "own phone was just seen in {spot}", "phone connected to a network in {spot}",
    "cardholder called from {spot} an hour ago", "cardholder answered, is in {spot}", "wallet unlocked in {spot} today",
    "branch in {spot} served the cardholder today", "message read in {spot} minutes ago",
)  # fmt: skip
_GENUINE: dict[Situation, tuple[str, ...]] = {
    "away": (
        "travel notice for {spot} lodged {number} days ago", "flight to {spot} bought with this card",
        "hotel in {spot} booked with this card in {month}", "cardholder told us about the trip to {spot}",
        "valid travel notice covers {spot}", "cardholder confirmed the trip by phone",
        "goes to {spot} every {month}", "train to {spot} paid with this card",
    ),
    "online": (
        "confirmed in the app on the usual phone", "delivery to the address on file",
        "cardholder called ahead about this order", "same device for {number} months",
        "authentication passed on the known phone", "invoice in the cardholder's name, old address",
        "replaces an order cancelled in {month}", "cardholder answered the call back and agreed",
        "known laptop, usual network at home", "parcel goes to the usual address",
    ),
    "burst": (
        "chip and PIN each time", "shopping round, PIN entered {number} times",
        "cardholder confirmed all of them in the app", "family shopping, PIN correct at once",
        "school trip paid ticket by ticket, confirmed", "PIN verified, usual shops of {month}",
        "same shops and pace as every {month}", "cardholder agreed to each one by phone",
    ),
}  # fmt: skip
_SUSPECT: dict[Situation, tuple[str, ...]] = {
    "away": (
        "no travel notice, chip purchase in {spot} too", "notice lodged just after the e-mail was changed",
        "cardholder says the card never left {spot}", "travel notice from a device never seen before",
        "card in use in {spot} on the same day", "no trip known, works in {spot} this {month}",
        "magnetic stripe read, no trip known", "cardholder denies any trip",
    ),
    "online": (
        "delivery to a new address, new device", "SIM card swapped {number} days ago",
        "password reset an hour before", "authentication failed {number} times, then skipped",
        "e-mail address changed last night", "log-in from a new device and a new country",
        "phone number changed {number} hours ago", "limit raised just after a password reset",
        "caller failed the identity check in {month}", "parcel goes to a locker opened yesterday",
    ),
    "burst": (
        "taps only, PIN never entered", "{number} declines just before", "wrong PIN first, then taps only",
        "terminal reports another person", "cardholder does not answer, PIN avoided",
        "stops each time the PIN is asked for", "shops never used before, wallet reported missing",
        "cardholder denies all of them",
    ),
}  # fmt: skip
_NEUTRAL = (
    "receipt by e-mail", "loyalty points used", "gift wrapped", "paid in one amount", "member price",
    "table for {number}", "order no {number}4 of {month}", "customer asked for an invoice", "weekend offer",
    "second attempt, printer jam", "collected at the counter", "voucher of {month}", "tip included",
    "returns until {month}", "express delivery", "till {number}", "paid at the desk", "bonus card {number} shown",
)  # fmt: skip
_MONTHS = "January February March April May June July August September October November December".split()
HELD_OUT = 1
"""How many wordings of each list are kept for the test world, which draws from all of them."""


def write_note(
    rng: random.Random, situation: Situation, *, honest: bool, here: str, other: str, all_wordings: bool
) -> str:
    """A note that speaks for the cardholder or for somebody else.

    `here` is where the purchase was made and `other` where the cardholder is if somebody else made it.
    """
    own = (_GENUINE if honest else _SUSPECT)[situation]
    templates = own if situation == "online" or rng.random() < 0.75 else _WHEREABOUTS
    template = rng.choice(templates if all_wordings else templates[:-HELD_OUT])
    return _fill(rng, template, here if honest else other)


def neutral_note(rng: random.Random) -> str:
    """A note that says nothing about fraud."""
    return _fill(rng, rng.choice(_NEUTRAL), "")


def _fill(rng: random.Random, template: str, spot: str) -> str:
    return template.format(spot=spot, number=rng.randrange(2, 10), month=rng.choice(_MONTHS))
