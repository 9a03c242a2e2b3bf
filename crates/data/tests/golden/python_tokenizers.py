"""Ids by Hugging Face's Python package for the tokenizers that Regard trained and saved.

1. python python_tokenizers.py texts    writes texts.json
2. REGARD_WRITE_GOLDEN=1 cargo test -p regard-data --test golden    writes bytes.json, …, bpe.json from texts.json
3. python python_tokenizers.py ids      writes ids.json (made with tokenizers 0.23.3)
"""

import json
import pathlib
import random
import sys

FOLDER = pathlib.Path(__file__).parent
KINDS = ["bytes", "characters", "words", "bpe"]

TRAIN = [
    "The quick brown fox jumps over the lazy dog, and the dog doesn't mind.",
    "the fox's tail isn't brown; it's red!  They've seen it, we'll see it, I'd say.",
    "Call 08001234567 now to claim your £1000 prize!!! T&Cs apply.",
    "Ça va? Où est la bibliothèque? Größe, straße, naïve café.",
    "東京 is the capital of 日本 (Japan). Привет, мир!",
    "e\u0301 is e with a combining accent; 🙂🙂 and 👨‍👩‍👧 are emoji.",
    "tabs\tand\nline feeds\r\nand   runs of   spaces",
]


def texts():
    rng = random.Random(0)
    odd = " \t\n\r\u0085\u00a0\u2003\u200b\u200d\u3000'\"!?.,;:-_()[]{}<>@#£€%&*/\\éßİıſǅ漢字かなカナ🙂\u0301\u0300ٱ१²½Ⅷ"
    encode = list(TRAIN) + ["", " ", "  ", "\n", "[CLS]", "[PAD] text [MASK]", " leading", "trailing ", "İSTANBUL ǅ"]
    for _ in range(400):
        pool = [rng.choice("abcdefghijklmnopqrstuvwxyzABCDEFGH0123456789") for _ in range(8)] + [rng.choice(odd) for _ in range(8)]
        encode.append("".join(rng.choice(pool) for _ in range(rng.randrange(30))))
    for _ in range(200):
        encode.append("".join(chr(c) for c in (rng.randrange(1, 0x30000) for _ in range(6)) if not 0xD800 <= c < 0xE000))
    return {"train": TRAIN, "encode": encode}


def ids():
    from tokenizers import Tokenizer

    encode = json.loads((FOLDER / "texts.json").read_text())["encode"]
    result = {}
    for kind in KINDS:
        tokenizer = Tokenizer.from_file(str(FOLDER / f"{kind}.json"))
        tokenizer.encode_special_tokens = True
        result[kind] = [tokenizer.encode(text).ids for text in encode]
    return result


if __name__ == "__main__":
    what = sys.argv[1]
    data = {"texts": texts, "ids": ids}[what]()
    (FOLDER / f"{what}.json").write_text(json.dumps(data, indent=None) + "\n")
