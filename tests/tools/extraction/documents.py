"""Documents of each built-in kind, written for these tests."""

from __future__ import annotations

CONTRACT = """\
MASTER SERVICES AGREEMENT

This Master Services Agreement (the "Agreement") is made and entered into as of March 1,
2025 (the "Effective Date") by and between
Harbour Lane Analytics Ltd, a company registered in England with its office at 12 Quay Street,
Bristol (the "Supplier"), and
Norfield Payments GmbH, a German company (the "Client").

1. Term. This Agreement commences on the Effective Date and continues for an initial term of twenty-four (24) months.
It shall automatically renew for successive periods of one (1) year unless either party gives notice of non-renewal.

2. Termination. Either party may terminate this Agreement for convenience upon sixty (60) days' prior written
notice to the other party.

3. Fees. The Client shall pay all invoices within thirty (30) days of receipt.

4. Liability. Except for fraud, the total aggregate liability of either party shall not exceed EUR 250,000.

5. Governing law. This Agreement shall be governed by and construed in accordance with the laws of England and Wales.
"""
INVOICE = """\
Brightwater Components B.V.
Keizersgracht 44, 1015 CR Amsterdam

INVOICE
Invoice No: BW-2025-0417
Invoice date: 17 April 2025
Due date: 17 May 2025

Bill to:
Norfield Payments GmbH
Hafenstrasse 9, 20457 Hamburg

Description            Qty   Unit price   Amount
Card reader M2         10    49.00        490.00
Docking cradle         5     19.50        97.50
Shipping               1     12.00        12.00

Subtotal                                  599.50
VAT 21%                                   125.90
Total due                                 EUR 725.40

IBAN: NL91 ABNA 0417 1643 00
"""
RECEIPT = """\
GREEN FERN CAFE
18 Mill Road, Cambridge CB1 2AB
Tel 01223 555 019
Receipt 00412
04/07/2025 13:22

2 x Flat white          6.80
1 x Carrot cake         3.95

Subtotal               10.75
Total GBP              10.75
Visa **** 4411         10.75
Thank you, see you soon!
"""
LETTER = """\
Maria Oliveira
22 Rosewood Close
Leeds

12 June 2025

Dear Sir or Madam,

I am writing to dispute a charge of GBP 184.20 made on 3 June 2025 at Skyline Gadgets with my card ending in 7731.
I did not authorise this transaction and I have never bought anything from this shop.
Please refund the full amount and block the card.

Yours faithfully,
Maria Oliveira
"""
TRANSACTION = """\
transaction_id: TX-99812
timestamp: 2025-05-03T02:14:09Z
amount: 912.00 USD
merchant: Lunar Electronics
merchant_category: electronics
channel: online
country: Romania
city: Cluj
customer_id: C-20431
"""
SENTENCE = """\
Customer C-88 paid 1,249.90 EUR at Nordic Watches in Oslo,
Norway on 3 March 2026 at 02:14 online. Transaction ID 7781-AB."""

DOCUMENTS = {
    "contract": CONTRACT, "invoice": INVOICE, "receipt": RECEIPT, "dispute_letter": LETTER, "transaction": TRANSACTION,
}  # fmt: skip

SAID: dict[str, tuple[str, str | float]] = {
    "contract": ("effective_date", "2025-03-01"),
    "invoice": ("invoice_number", "BW-2025-0417"),
    "receipt": ("total", 10.75),
    "dispute_letter": ("card_last4", "7731"),
    "transaction": ("merchant", "Lunar Electronics"),
}
"""A field of each document, and its value."""
