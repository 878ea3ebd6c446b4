"""Writes vectors/state-tree.json from the text of the format alone: python3 vectors/generators/state_tree.py

A second implementation, on purpose without any code of the crates. Needs a Python whose hashlib knows SM3 (OpenSSL 1.1.1 or later).
"""

import hashlib
import json
import pathlib


def sm3(*parts):
    return hashlib.new("sm3", b"".join(parts)).digest()


def path_of(module_id, key):
    return sm3(b"ylStPath", module_id.to_bytes(4, "big"), key)


def value_hash(value):
    return sm3(b"ylStValu", value)


def bit(path, depth):
    return path[depth // 8] >> (7 - depth % 8) & 1


def first_difference(leaves):
    """The first bit in which the leaves are not all alike."""
    return next(d for d in range(256) if len({bit(path, d) for path, _ in leaves}) == 2)


def sides(leaves, depth):
    return [[leaf for leaf in leaves if bit(leaf[0], depth) == side] for side in (0, 1)]


def root(leaves):
    if not leaves:
        return bytes(32)
    if len(leaves) == 1:
        return sm3(leaves[0][0], leaves[0][1], b"\0")
    depth = first_difference(leaves)
    left, right = sides(leaves, depth)
    return sm3(root(left), root(right), b"\1", bytes([depth]))


def proof(leaves, path):
    if not leaves:
        return b"\0"
    siblings = b""
    while len(leaves) > 1:
        depth = first_difference(leaves)
        both = sides(leaves, depth)
        siblings += bytes([depth]) + root(both[1 - bit(path, depth)])
        leaves = both[bit(path, depth)]
    return b"\1" + leaves[0][0] + leaves[0][1] + siblings


def case(name, entries, probes):
    leaves = [(path_of(module_id, key), value_hash(value)) for module_id, key, value in entries]
    present = dict(leaves)
    out = {"name": name, "entries": [], "root": root(leaves).hex(), "proofs": []}
    for (module_id, key, value), (path, vh) in zip(entries, leaves):
        out["entries"].append(
            {"module_id": module_id, "key": key.hex(), "value": value.hex(), "path": path.hex(), "value_hash": vh.hex()}
        )
    for module_id, key in probes:
        path = path_of(module_id, key)
        found = present.get(path)
        out["proofs"].append(
            {
                "module_id": module_id,
                "key": key.hex(),
                "value_hash": found.hex() if found else None,
                "proof": proof(leaves, path).hex(),
            }
        )
    return out


def numbered(count):
    return [(3, b"key-%d" % i, b"value-%d" % i) for i in range(count)]


CASES = [
    case("empty", [], [(1, b"a")]),
    case("one", [(1, b"a", b"x")], [(1, b"a"), (1, b"b")]),
    case("two modules, same key, one empty value", [(1, b"a", b"x"), (2, b"a", b"")], [(1, b"a"), (2, b"a"), (3, b"a")]),
    case("three", numbered(3), [(3, b"key-0"), (3, b"key-2"), (3, b"key-3")]),
    case("hundred", numbered(100), [(3, b"key-0"), (3, b"key-99"), (3, b"key-100"), (4, b"key-0")]),
]

target = pathlib.Path(__file__).parent.parent / "state-tree.json"
target.write_text(json.dumps({"cases": CASES}, indent=1) + "\n")
