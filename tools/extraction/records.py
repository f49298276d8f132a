"""The five built-in record types. Every field may be null: a value that is not in the document stays out."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from stdnum import iban as iban_number

from tools.extraction.readers.amounts import ISO_CURRENCIES


def _iso_date(value: str) -> str:
    return date.fromisoformat(value).isoformat()


def _iso_moment(value: str) -> str:
    datetime.fromisoformat(value)
    return value


def _iban(value: str) -> str:
    return str(iban_number.validate(value))


def _currency(value: str) -> str:
    if value not in ISO_CURRENCIES:
        raise ValueError("not an ISO 4217 code")
    return value


def _last4(value: str) -> str:
    if not re.fullmatch(r"\d{4}", value):
        raise ValueError("not four digits")
    return value


IsoDate = Annotated[str, AfterValidator(_iso_date)]
IsoMoment = Annotated[str, AfterValidator(_iso_moment)]
Iban = Annotated[str, AfterValidator(_iban)]
Currency = Annotated[str, AfterValidator(_currency)]
Last4 = Annotated[str, AfterValidator(_last4)]


class Record(BaseModel):
    """Base of the built-in records."""

    model_config = ConfigDict(extra="forbid")


class Party(Record):
    """A party of a contract."""

    name: str | None = Field(None, description="Name of the party.")
    role: str | None = Field(None, description="What the contract calls the party, e.g. Supplier.")


class Contract(Record):
    """A contract or agreement."""

    title: str | None = Field(None, description="Title of the contract.")
    parties: list[Party] | None = Field(None, description="Who the contract is between.")
    effective_date: IsoDate | None = Field(None, description="Date from which the contract is in force, ISO 8601.")
    term: str | None = Field(None, description="How long the contract runs, as `N unit`.")
    renewal: str | None = Field(None, description="What happens at the end of the term.")
    termination_notice: str | None = Field(None, description="Notice needed to terminate, as `N unit`.")
    liability_cap: str | None = Field(None, description="What liability is limited to.")
    governing_law: str | None = Field(None, description="Whose law governs the contract.")


class LineItem(Record):
    """One line of an invoice or receipt."""

    description: str | None = Field(None, description="What was sold.")
    quantity: float | None = Field(None, description="How many.")
    unit_price: float | None = Field(None, description="Price of one.")
    amount: float | None = Field(None, description="Price of the line.")


class Invoice(Record):
    """An invoice."""

    invoice_number: str | None = Field(None, description="Number of the invoice.")
    issue_date: IsoDate | None = Field(None, description="Date of the invoice, ISO 8601.")
    due_date: IsoDate | None = Field(None, description="Date by which to pay, ISO 8601.")
    supplier: str | None = Field(None, description="Who issued the invoice.")
    customer: str | None = Field(None, description="Who has to pay.")
    currency: Currency | None = Field(None, description="ISO 4217 code of the currency.")
    subtotal: float | None = Field(None, description="Sum before tax.")
    tax: float | None = Field(None, description="Tax amount.")
    total: float | None = Field(None, description="Amount to pay, with tax.")
    iban: Iban | None = Field(None, description="IBAN to pay to.")
    line_items: list[LineItem] | None = Field(None, description="The lines of the invoice.")


class Receipt(Record):
    """A receipt of a shop, restaurant or service."""

    company: str | None = Field(None, description="Who issued the receipt.")
    date: IsoDate | None = Field(None, description="Date of the purchase, ISO 8601.")
    address: str | None = Field(None, description="Address of who issued it.")
    total: float | None = Field(None, description="Amount paid, after rounding.")
    currency: Currency | None = Field(None, description="ISO 4217 code of the currency.")
    payment_method: str | None = Field(None, description="How it was paid, e.g. cash or Visa.")
    line_items: list[LineItem] | None = Field(None, description="What was bought.")


class DisputeLetter(Record):
    """A cardholder's letter that disputes a payment."""

    customer_name: str | None = Field(None, description="Who wrote the letter.")
    card_last4: Last4 | None = Field(None, description="Last four digits of the card.")
    transaction_date: IsoDate | None = Field(None, description="Date of the disputed payment, ISO 8601.")
    amount: float | None = Field(None, description="Disputed amount.")
    currency: Currency | None = Field(None, description="ISO 4217 code of the currency.")
    merchant: str | None = Field(None, description="Merchant of the disputed payment.")
    reason: str | None = Field(None, description="Why the payment is disputed.")
    requested_action: str | None = Field(None, description="What the customer asks for.")
    letter_date: IsoDate | None = Field(None, description="Date of the letter, ISO 8601.")


class Transaction(Record):
    """A card transaction."""

    transaction_id: str | None = Field(None, description="Identifier of the transaction.")
    timestamp: IsoMoment | None = Field(None, description="When it took place, ISO 8601.")
    amount: float | None = Field(None, description="Amount of the transaction.")
    currency: Currency | None = Field(None, description="ISO 4217 code of the currency.")
    merchant: str | None = Field(None, description="Merchant that was paid.")
    merchant_category: str | None = Field(None, description="Category of the merchant, in words or as MCC.")
    channel: str | None = Field(None, description="How the card was used, e.g. online, POS, ATM.")
    country: str | None = Field(None, description="Country of the merchant.")
    city: str | None = Field(None, description="City of the merchant.")
    customer_id: str | None = Field(None, description="Identifier of the customer.")


BUILT_IN: dict[str, type[Record]] = {
    "contract": Contract,
    "invoice": Invoice,
    "receipt": Receipt,
    "dispute_letter": DisputeLetter,
    "transaction": Transaction,
}
