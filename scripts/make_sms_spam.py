"""Makes datasets/sms-spam/{train,test}.tsv from the raw SMS Spam Collection.

    python scripts/make_sms_spam.py path/to/sms.tsv [output folder]

The raw file has one `label<TAB>text` a line and no header. A text that was seen before is dropped, and of the
rows that remain every fifth (0-based index mod 5 == 4) goes to the test split. Everything is done on bytes:
TSV has no quoting, and the texts contain quotes that a CSV library would rewrite.
"""

import hashlib
import sys
from pathlib import Path

RAW_SHA256 = "7d039a24a6083ed9ef0f806ebad56bbb976e3aeb8de05669173bfdc4996c239d"
HEADER = b"label\ttext\n"


def unique_rows(raw: bytes) -> list[bytes]:
    """The lines of `raw` whose text has not occurred before, in their order."""
    rows, seen = [], set()
    # Not `splitlines`: only a line feed ends a row, whatever else a message contains.
    for number, line in enumerate(raw.removesuffix(b"\n").split(b"\n"), start=1):
        fields = line.split(b"\t")
        if len(fields) != 2 or fields[0] not in (b"ham", b"spam"):
            sys.exit(f"line {number}: expected `ham` or `spam`, one tab and a text, found {line[:80]!r}")
        if fields[1] not in seen:
            seen.add(fields[1])
            rows.append(line)
    return rows


def main() -> None:
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    raw = Path(sys.argv[1]).read_bytes()
    found = hashlib.sha256(raw).hexdigest()
    if found != RAW_SHA256:
        sys.exit(f"{sys.argv[1]}: expected the file with SHA-256 {RAW_SHA256}, found {found}")

    default = Path(__file__).resolve().parent.parent / "datasets" / "sms-spam"
    folder = Path(sys.argv[2]) if len(sys.argv) == 3 else default
    folder.mkdir(parents=True, exist_ok=True)

    rows = unique_rows(raw)
    test = [row for index, row in enumerate(rows) if index % 5 == 4]
    train = [row for index, row in enumerate(rows) if index % 5 != 4]
    for name, part in (("train.tsv", train), ("test.tsv", test)):
        content = HEADER + b"".join(row + b"\n" for row in part)
        (folder / name).write_bytes(content)
        spam = sum(row.startswith(b"spam\t") for row in part)
        digest = hashlib.sha256(content).hexdigest()
        print(f"{name}: {len(part)} rows, {len(part) - spam} ham, {spam} spam, {len(content)} bytes, SHA-256 {digest}")


if __name__ == "__main__":
    main()
