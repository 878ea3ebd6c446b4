#!/usr/bin/env python3
"""Makes vectors/packets.json from docs/cross-chain.md alone: packet bytes, digests, state keys, id of a series of vouchers.

Uses the SM3 of docs/examples/verify_pack.py, nothing of the product. Run from the repository's root: python3 vectors/generators/packets.py > vectors/packets.json
"""
import importlib.util
import json
import sys

spec = importlib.util.spec_from_file_location("pack", "docs/examples/verify_pack.py")
pack = importlib.util.module_from_spec(spec)
sys.argv = ["verify_pack.py"]
spec.loader.exec_module(pack)


def varint(n):
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes(out + bytes([n]))


def field(number, value):
    """One field of canonical protobuf; nothing for a default."""
    if isinstance(value, (int, bool)):
        return b"" if not value else varint(number << 3) + varint(int(value))
    value = value.encode() if isinstance(value, str) else value
    return b"" if not value else varint(number << 3 | 2) + varint(len(value)) + value


def packet(p):
    names = ["version", "source", "destination", "module", "method", "sequence", "organisation", "sender", "payload", "timeout_ms", "ordered", "end_to_end"]
    return b"".join(field(number + 1, p[name]) for number, name in enumerate(names))


def key(table, chains, module, sequence):
    return bytes([table]) + b"".join(chains) + bytes([len(module)]) + module.encode() + sequence.to_bytes(8, "big")


def digest(n):
    return bytes([n]) * 32


cases = []
for number, (module, method, sequence, organisation, sender, payload, ordered, end_to_end) in enumerate([
    ("verification", "ask", 1, "zhengzhou-data", digest(3), b"\x08\x01", False, True),
    ("voucher", "move", 300, "", b"", bytes(range(200)) * 20, False, True),
    ("notice", "tell", 2**40, "a", digest(9), b"", True, False),
]):
    source, destination = digest(1), digest(2 + number)
    p = dict(version=1, source=source, destination=destination, module=module, method=method, sequence=sequence, organisation=organisation,
             sender=sender, payload=payload, timeout_ms=1_700_000_000_000 + number, ordered=ordered, end_to_end=end_to_end)
    data = packet(p)
    keys = {
        "sent": key(1, [destination], module, sequence),
        "ended": key(2, [destination], module, sequence),
        "result": key(3, [source], module, sequence),
        "relayed": key(4, [source, destination], module, sequence),
        "confirmed": key(5, [source, destination], module, sequence),
    }
    cases.append({
        "fields": {name: value.hex() if isinstance(value, bytes) else value for name, value in p.items()},
        "bytes": data.hex(),
        "digest": pack.tagged("ylPacket", data).hex(),
        "keys": {name: value.hex() for name, value in keys.items()},
        "paths": {name: pack.state_path(5, value).hex() for name, value in keys.items()},
    })

series = []
for home, organisation, name in [(digest(1), "zhengzhou-data", "人才房票"), (digest(2), "a", "b")]:
    data = home + bytes([len(organisation)]) + organisation.encode() + name.encode()
    series.append({"home": home.hex(), "organisation": organisation, "name": name, "id": pack.tagged("ylVouchr", data).hex()})

print(json.dumps({"packets": cases, "series": series}, ensure_ascii=False, indent=2, sort_keys=True))
