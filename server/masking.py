"""Personal data kept out of the log."""

from __future__ import annotations

import logging

from tools.pii import IN_RECORDS, mask_personal_data


def mask(text: str) -> str:
    """The text with card numbers, IBANs, e-mail addresses, telephone numbers and names in known fields replaced."""
    return mask_personal_data(text, IN_RECORDS).text


class PersonalDataFilter(logging.Filter):
    """Masks a record's message and the texts of its exception, whoever wrote them."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask; every record passes."""
        record.msg, record.args = mask(_message(record)), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = _FORMATTER.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = mask(record.exc_text)
        if record.stack_info:
            record.stack_info = mask(record.stack_info)
        return True


def mask_log_output() -> None:
    """Mask what the process logs from now on. Call it once its handlers are there."""
    for handler in (*logging.getLogger().handlers, logging.lastResort):
        if handler is not None and not any(isinstance(known, PersonalDataFilter) for known in handler.filters):
            handler.addFilter(PersonalDataFilter())


_FORMATTER = logging.Formatter()


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - whatever an argument's own text raises
        # A wrong call of the logger may not fail who logs, nor print its arguments.
        return f"{record.msg} (the arguments of this message do not fit)"
