"""Reads what the example needs of a pacs.008 message. Both scorers and the legacy chain use it."""
import xml.etree.ElementTree as xml
from decimal import Decimal


def read(text):
    """A payment as a dictionary; ValueError when something is missing."""
    if "<!" in text:
        # No message has a document type, and its entities could be anything.
        raise ValueError("the message declares a document type or entities")
    root = xml.fromstring(text)

    def find(path):
        element = root.find(path)
        if element is None or not (element.text or "").strip():
            raise ValueError(f"the message has no {path.split('}')[-1]}")
        return element

    amount = find(".//{*}CdtTrfTxInf/{*}IntrBkSttlmAmt")
    return {
        "id": find(".//{*}PmtId/{*}UETR").text.strip().lower(),
        "account": find(".//{*}DbtrAcct/{*}Id/{*}IBAN").text.strip(),
        "to": find(".//{*}CdtrAcct/{*}Id/{*}IBAN").text.strip(),
        "amount": str(Decimal(amount.text.strip())),
        "currency": amount.get("Ccy", ""),
        "time": find(".//{*}GrpHdr/{*}CreDtTm").text.strip(),
        "reference": find(".//{*}PmtId/{*}EndToEndId").text.strip(),
    }
