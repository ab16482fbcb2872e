"""Writes payments as pacs.008 messages: message.py COUNT DIRECTORY. The same count gives the same messages.

Accounts, names and amounts are made up; nobody has these IBANs.
"""
import os
import sys
import uuid

ACCOUNTS = ["DE89370400440532013000", "FR1420041010050500013M02606", "NL91ABNA0417164300", "GB82WEST12345698765432"]

TEXT = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.008.001.08">
  <FIToFICstmrCdtTrf>
    <GrpHdr>
      <MsgId>{reference}</MsgId>
      <CreDtTm>2026-11-{day:02}T{hour:02}:00:00</CreDtTm>
      <NbOfTxs>1</NbOfTxs>
      <SttlmInf><SttlmMtd>INDA</SttlmMtd></SttlmInf>
    </GrpHdr>
    <CdtTrfTxInf>
      <PmtId>
        <InstrId>{reference}</InstrId>
        <EndToEndId>{reference}</EndToEndId>
        <UETR>{uetr}</UETR>
      </PmtId>
      <IntrBkSttlmAmt Ccy="EUR">{amount}</IntrBkSttlmAmt>
      <IntrBkSttlmDt>2026-11-{day:02}</IntrBkSttlmDt>
      <ChrgBr>SHAR</ChrgBr>
      <Dbtr>
        <Nm>Debtor {account}</Nm>
        <PstlAdr><StrtNm>High Street</StrtNm><TwnNm>Town</TwnNm><Ctry>{country}</Ctry></PstlAdr>
      </Dbtr>
      <DbtrAcct><Id><IBAN>{account}</IBAN></Id></DbtrAcct>
      <DbtrAgt><FinInstnId><BICFI>DEUTDEFFXXX</BICFI></FinInstnId></DbtrAgt>
      <CdtrAgt><FinInstnId><BICFI>BNPAFRPPXXX</BICFI></FinInstnId></CdtrAgt>
      <Cdtr>
        <Nm>Creditor</Nm>
        <PstlAdr><StrtNm>Main Street</StrtNm><TwnNm>City</TwnNm><Ctry>{payee_country}</Ctry></PstlAdr>
      </Cdtr>
      <CdtrAcct><Id><IBAN>{payee}</IBAN></Id></CdtrAcct>
    </CdtTrfTxInf>
  </FIToFICstmrCdtTrf>
</Document>
"""


def uetr(number):
    """A UUID of version 4 that is always the same for the same number."""
    bits = bytearray(uuid.uuid5(uuid.NAMESPACE_URL, f"payments/{number}").bytes)
    bits[6] = bits[6] & 0x0F | 0x40
    return str(uuid.UUID(bytes=bytes(bits)))


def message(number):
    account = ACCOUNTS[number % len(ACCOUNTS)]
    payee = ACCOUNTS[(number // len(ACCOUNTS) + number + 1) % len(ACCOUNTS)]
    if payee == account:
        payee = ACCOUNTS[(number + 1) % len(ACCOUNTS)]
    # Every ninth is a large round one at night, and every thirteenth has no UETR that the rules accept.
    suspicious, wrong = number % 9 == 8, number % 13 == 12
    return account, TEXT.format(
        reference=f"PAY{number:06}", uetr=f"not-a-uetr-{number}" if wrong else uetr(number),
        amount="900000.00" if suspicious else f"{100 + number * 7 % 900}.{number % 100:02}", account=account, payee=payee,
        country=account[:2], payee_country=payee[:2], day=1 + number % 28, hour=3 if suspicious else 8 + number % 9)


if __name__ == "__main__":
    count, directory = int(sys.argv[1]), sys.argv[2]
    os.makedirs(directory, exist_ok=True)
    for number in range(count):
        with open(os.path.join(directory, f"{number:06}.xml"), "w", encoding="utf-8") as file:
            file.write(message(number)[1])
