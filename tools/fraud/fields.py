"""Which of a transaction's fields a caller's column or key means."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ALIASES: dict[str, str] = {
    "transaction_id": "id trans_id transid trans_num tx_id txid txn_id trx_id transaction transaction_number "
    "reference ref",
    "timestamp": "datetime date_time trans_date_trans_time transaction_time transaction_timestamp tx_datetime "
    "transaction_datetime trans_datetime created_at occurred_at event_time unix_time when",
    "date": "trans_date transaction_date tx_date txn_date day local_date booking_date",
    "time": "trans_time tx_time txn_time time_of_day clock local_time",
    "amount": "amt value total sum price transaction_amount tx_amount txn_amount trans_amount amount_value "
    "purchase_amount",
    "currency": "ccy curr currency_code amount_currency transaction_currency",
    "merchant": "merchant_name shop store vendor payee merch seller retailer merchantname beneficiary",
    "merchant_category": "category merchant_type merchant_category_name category_name mcc mcc_code "
    "merchant_category_code merchant_mcc cat",
    "channel": "payment_channel entry_mode payment_method pos_entry_mode use_chip transaction_channel tx_channel",
    "country": "merchant_country transaction_country location_country country_code merchant_country_code",
    "city": "merchant_city transaction_city location_city town location",
    "customer_id": "customer client_id cust_id user_id account_id cardholder_id client user customer_number",
    "customer_home_country": "home_country cardholder_country customer_country card_country issuer_country "
    "country_of_residence residence residence_country customer_home client_country billing_country",
    "customer_usual_amount": "usual_amount average_amount avg_amount mean_amount typical_amount "
    "customer_avg_amount customer_average usual_spend average_spend avg_spend customer_average_amount "
    "typical_spend customer_usual_spend usual customer_usually_spends usually_spends normal_amount "
    "median_amount",
    "distance_from_last_km": "distance_from_last distance_km distance distance_since_last "
    "distance_from_last_transaction dist_km distance_to_last distance_from_previous",
    "minutes_since_last": "time_since_last since_last minutes_since_last_transaction "
    "time_since_last_transaction min_since_last time_since_previous minutes_since_previous",
    "count_1h": "tx_1h txn_1h tx_count_1h count_last_hour transactions_last_hour transactions_1h last_hour "
    "velocity_1h n_1h transactions_in_last_hour transactions_in_the_last_hour",
    "count_24h": "tx_24h txn_24h tx_count_24h count_last_day transactions_last_24h transactions_24h last_24h "
    "velocity_24h n_24h count_1d tx_1d transactions_today transactions_in_last_24_hours "
    "transactions_in_the_last_24_hours",
    "count_7d": "tx_7d txn_7d tx_count_7d count_last_week transactions_last_7d transactions_7d last_7d "
    "velocity_7d n_7d transactions_in_last_7_days transactions_in_the_last_7_days",
    "first_time_merchant": "new_merchant is_new_merchant first_at_merchant is_first_merchant first_time_at_merchant",
    "first_time_category": "new_category is_new_category first_in_category first_time_in_category",
    "card_age_days": "card_age days_since_issue card_age_in_days age_of_card days_since_activation",
    "transaction_code": "code tx_code txn_code trans_code transaction_type_code response_code reason_code "
    "internal_code",
    "note": "notes memo remark remarks comment comments transaction_note analyst_note",
}

# The same fact in another unit: alias -> (field, unit or currency of a bare number).
_IN_UNITS: dict[str, tuple[str, str]] = {
    "distance_from_last_mi": ("distance_from_last_km", "mi"),
    "distance_from_last_miles": ("distance_from_last_km", "mi"),
    "distance_miles": ("distance_from_last_km", "mi"),
    "distance_m": ("distance_from_last_km", "m"),
    "hours_since_last": ("minutes_since_last", "h"),
    "hours_since_last_transaction": ("minutes_since_last", "h"),
    "seconds_since_last": ("minutes_since_last", "s"),
    "days_since_last": ("minutes_since_last", "d"),
    "card_age_months": ("card_age_days", "mo"),
    "card_age_years": ("card_age_days", "y"),
    "card_age_hours": ("card_age_days", "h"),
    "amount_eur": ("amount", "EUR"),
    "amount_usd": ("amount", "USD"),
    "amount_gbp": ("amount", "GBP"),
}

# Objects that merely hold the fields.
WRAPPERS = frozenset({"transaction", "tx", "txn", "data", "payload", "details"})

# The answer itself: a score that had read it would be worthless.
_ANSWERS = frozenset(
    "label is_fraud isfraud fraud fraud_flag is_fraudulent fraudulent class target y outcome tx_fraud "
    "tx_fraud_scenario fraud_type scenario isflaggedfraud is_flagged kind risk_score "
    "probability score_band band".split()
)
# Identifies a person or a card and says nothing about fraud: never passed on to a model.
_IDENTIFIERS = frozenset(
    "cc_num card_number card_num pan cardnumber card_no iban account_number cvv cvc pin ssn password first last "
    "first_name last_name name customer_name cardholder_name cardholder street address email phone telephone dob "
    "date_of_birth birth_date ip ip_address".split()
)


@dataclass(frozen=True)
class Field:
    """A recognised field and, where its name says so, the unit or currency of a bare number."""

    name: str
    unit: str | None = None


_FIELDS = {
    **{name: Field(name) for name in _ALIASES},
    **{alias: Field(name) for name, aliases in _ALIASES.items() for alias in aliases.split()},
    **{alias: Field(name, unit) for alias, (name, unit) in _IN_UNITS.items()},
}


def fold_name(name: str) -> str:
    """A column or key as snake case: "Merchant Name", "merchantName" and "merchant-name" are one."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip())
    return re.sub(r"[^a-z0-9]+", "_", spaced.casefold()).strip("_")


def find_field(name: str) -> Field | None:
    """The field a column or key means, or None."""
    return _FIELDS.get(fold_name(name))


def is_withheld(name: str) -> bool:
    """Whether an unknown column must not reach a model: the answer, or what identifies a person or card."""
    folded = fold_name(name)
    return folded in _ANSWERS or folded in _IDENTIFIERS
