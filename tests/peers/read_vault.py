"""Reads a vault as docs/vault.md describes it, with another implementation of its ciphers.

    read_vault.py FOLDER    azt's folder with the key source `file`; prints the records as JSON, by name
"""

import hmac
import json
import pathlib
import sys

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

LOGICAL_KEY = {
    "at": lambda it: (it["environment"], it["client_id"], it["realm"], it["account"], scopes(it["requested"])),
    "rt": lambda it: (it["environment"], it["account"], it.get("family_id") or it["client_id"]),
    "id": lambda it: (it["environment"], it["account"], it["client_id"], it["realm"]),
    "ac": lambda it: (it["environment"], it["username"]),
    "ca": lambda it: (it["environment"], it["client_id"], it["home_account_id"]),
    "ha": lambda it: (it["environment"], it["host"]),
    "sp": lambda it: (it["environment"], it["client_id"], it["tenant"]),
}


def scopes(requested):
    return " ".join(sorted(set(requested.lower().split())))


def derived(key, info, length=32, salt=b""):
    return HKDF(SHA256(), length, salt, info.encode()).derive(key)


def opened(sealed, name, key):
    assert sealed[:7] == b"aztseal" and sealed[7] == 1
    assert sealed[8:16] == derived(key, "azt vault 1: key id", 8)
    cipher = AESGCM(derived(derived(key, "azt vault 1: seal"), "azt vault 1: file", salt=sealed[16:48]))
    return json.loads(cipher.decrypt(sealed[48:60], sealed[60:], sealed[:60] + name.encode()))


def name_of(record, letters, key):
    parts = [part.lower() for part in LOGICAL_KEY[letters](record)]
    logical = "".join(f"{len(part.encode())}:{part}" for part in parts)
    mac = hmac.digest(derived(key, "azt vault 1: name"), f"{letters}\0{logical}".encode(), "sha256")
    return f"{letters}-{mac[:16].hex()}"


folder = pathlib.Path(sys.argv[1])
key = bytes.fromhex((folder / "vault.key").read_text())
manifest = json.loads((folder / "vault.json").read_text())
assert manifest["version"] == 1 and manifest["key_source"] == "file"
assert bytes.fromhex(manifest["key_id"]) == derived(key, "azt vault 1: key id", 8)
records = {}
for path in sorted((folder / "records").iterdir()):
    record = opened(path.read_bytes(), path.name, key)
    assert name_of(record, path.name[:2], key) == path.name
    records[path.name] = record
json.dump(records, sys.stdout)
