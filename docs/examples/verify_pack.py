"""Verifies an evidence pack offline: python3 verify_pack.py PACK [FILE | --row LINE] [--genesis DIGEST]...

Written from docs/formats.md alone, without any library: an independent check of the format, and a pattern for other languages.
Not made for speed. Exit 0: proven and active; 1: the answer is no; 2: could not run.
"""

import base64
import json
import re
import sys
from datetime import datetime, timezone

ZERO = bytes(32)


class No(Exception):
    """The answer is no: a code and what does not hold."""

    def __init__(self, code, text=""):
        super().__init__(f"{code}: {text}" if text else code)
        self.code = code


def need(holds, code, text=""):
    if not holds:
        raise No(code, text)


# ---- section 2: SM3 and SM2 ----

MASK = 0xFFFFFFFF


def rotl(x, n):
    n %= 32
    return ((x << n) | (x >> (32 - n))) & MASK if n else x


def compress(v, block):
    w = [int.from_bytes(block[i : i + 4], "big") for i in range(0, 64, 4)]
    for j in range(16, 68):
        x = w[j - 16] ^ w[j - 9] ^ rotl(w[j - 3], 15)
        w.append(x ^ rotl(x, 15) ^ rotl(x, 23) ^ rotl(w[j - 13], 7) ^ w[j - 6])
    a, b, c, d, e, f, g, h = v
    for j in range(64):
        t = 0x79CC4519 if j < 16 else 0x7A879D8A
        ss1 = rotl((rotl(a, 12) + e + rotl(t, j)) & MASK, 7)
        ss2 = ss1 ^ rotl(a, 12)
        ff = a ^ b ^ c if j < 16 else (a & b) | (a & c) | (b & c)
        gg = e ^ f ^ g if j < 16 else (e & f) | (~e & MASK & g)
        tt1 = (ff + d + ss2 + (w[j] ^ w[j + 4])) & MASK
        tt2 = (gg + h + ss1 + w[j]) & MASK
        a, b, c, d = tt1, a, rotl(b, 9), c
        e, f, g, h = tt2 ^ rotl(tt2, 9) ^ rotl(tt2, 17), e, rotl(f, 19), g
    return [x ^ y for x, y in zip(v, (a, b, c, d, e, f, g, h))]


def sm3(*parts):
    data = b"".join(parts)
    padded = data + b"\x80" + bytes((55 - len(data)) % 64) + (8 * len(data)).to_bytes(8, "big")
    v = [0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600, 0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E]
    for at in range(0, len(padded), 64):
        v = compress(v, padded[at : at + 64])
    return b"".join(x.to_bytes(4, "big") for x in v)


def tagged(tag, *parts):
    return sm3(tag.encode(), *parts)


P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)


def add(p, q):
    """Points as (x, y); None is infinity."""
    if p is None or q is None:
        return p or q
    if p[0] == q[0]:
        if (p[1] + q[1]) % P == 0:
            return None
        slope = (3 * p[0] * p[0] + A) * pow(2 * p[1], -1, P) % P
    else:
        slope = (q[1] - p[1]) * pow(q[0] - p[0], -1, P) % P
    x = (slope * slope - p[0] - q[0]) % P
    return x, (slope * (p[0] - x) - p[1]) % P


def times(k, p):
    out = None
    while k:
        if k & 1:
            out = add(out, p)
        p, k = add(p, p), k >> 1
    return out


def point(key):
    """The point of 33 bytes, or None if they are no public key."""
    if len(key) != 33 or key[0] not in (2, 3):
        return None
    x = int.from_bytes(key[1:], "big")
    square = (x * x * x + A * x + B) % P
    y = pow(square, (P + 1) // 4, P)
    if x >= P or y * y % P != square:
        return None
    return x, y if y % 2 == key[0] - 2 else P - y


def well_formed(signature):
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    return len(signature) == 64 and 0 < r < N and 0 < s < N


def signed(key, message, signature):
    public = point(key)
    if public is None or not well_formed(signature):
        return False
    numbers = b"".join(x.to_bytes(32, "big") for x in (A, B, *G, *public))
    za = sm3(b"\x00\x80", b"1234567812345678", numbers)
    e = int.from_bytes(sm3(za, message), "big")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    t = (r + s) % N
    at = add(times(s, G), times(t, public))
    return t != 0 and at is not None and (e + at[0]) % N == r


# ---- section 3: Merkle trees ----


def merkle_leaf(data):
    return tagged("ylMkLeaf", data)


def merkle_node(left, right):
    return tagged("ylMkNode", left, right)


def merkle_root(leaves):
    if not leaves:
        return ZERO
    level = leaves
    while len(level) > 1:
        pairs = [level[i : i + 2] for i in range(0, len(level), 2)]
        level = [merkle_node(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
    return tagged("ylMkRoot", len(leaves).to_bytes(8, "big"), level[0])


def in_tree(root, leaf, index, count, siblings):
    if index >= count:
        return False
    here, i, last, rest = leaf, index, count - 1, list(siblings)
    while last > 0:
        if i & 1 or i < last:
            if not rest:
                return False
            sibling = rest.pop(0)
            here = merkle_node(sibling, here) if i & 1 else merkle_node(here, sibling)
        i, last = i >> 1, last >> 1
    return not rest and tagged("ylMkRoot", count.to_bytes(8, "big"), here) == root


# ---- section 4: canonical protobuf; a message is described by its fields in the order of their numbers ----

SCHEMA = {
    "Quorum": "numerator:u32 denominator:u32",
    "Charter": "validators:Quorum parameters:Quorum charter:Quorum voting_period_ms:u64 text_digest:bytes",
    "Parameter": "name:string value:u64 minimum:u64 maximum:u64 never_shrinks:bool",
    "NodeRecord": "public_key:bytes name:string cloud:string organisation:string address:string",
    "Organisation": "id:string name:string member:bool frozen:bool since_height:u64 removed:bool",
    "Account": "id:bytes organisation:string public_key:bytes roles:string* frozen:bool label:string since_height:u64 "
    "key_since_height:u64 frozen_reason:string",
    "Validator": "public_key:bytes name:string cloud:string organisation:string",
    "ValidatorSet": "validators:Validator*",
    "Genesis": "version:u32 name:string time_ms:u64 protocol_version:u32 epoch_length:u64 validators:ValidatorSet "
    "organisations:Organisation* accounts:Account* charter:Charter parameters:Parameter* nodes:NodeRecord* "
    "modules:string* templates:ChainTemplate* offers:NodeOffer* accepted_risk:AcceptedRisk",
    "AcceptedRisk": "validators:u32 clouds:CloudShare* reason:string",
    "CloudShare": "cloud:string validators:u32",
    "ChainTemplate": "name:string title_zh:string title_en:string modules:string* parameters:ParameterValue* epoch_length:u64 "
    "leader_timeout_ms:u32 role:string per_organisation_max:u32 transactions_per_second:u32 storage_mib:u32",
    "ParameterValue": "name:string value:u64",
    "NodeOffer": "node:bytes chains_max:u32 storage_mib_max:u32 organisations:string* templates:string* draining:bool "
    "chains:u32 storage_mib:u32",
    "Transaction": "kind:u32 payload:bytes signatures:TransactionSignature*",
    "TransactionSignature": "scheme:u32 signer:bytes signature:bytes",
    "TransactionSignatures": "signatures:TransactionSignature*",
    "TransactionPayload": "chain_id:bytes version:u32 sender:bytes on_behalf_of:bytes nonce:bytes valid_until_ms:u64 "
    "metering_limit:u64 module:string method:string arguments:bytes declared_keys:bytes*",
    "BlockHeader": "version:u32 chain_id:bytes epoch:u64 height:u64 parent:bytes time_ms:u64 protocol_version:u32 "
    "transaction_root:bytes parent_state_root:bytes parent_receipt_root:bytes parent_write_set_root:bytes "
    "parent_message_root:bytes validators:bytes next_validators:bytes validators_since:u64",
    "Block": "header:bytes transactions:bytes*",
    "Event": "module:string name:string data:bytes",
    "Receipt": "transaction_id:bytes status:u32 code:string detail:string metering:u64 output:bytes events:Event*",
    "FinalityProof": "version:u32 epoch:u64 view:u64 parent_view:u64 digest:bytes signers:bytes signatures:bytes*",
    "KeyOwner": "account:bytes",
    "Deposit": "digest:bytes description:string source:string",
    "DepositBatch": "root:bytes count:u64 description:string source:string",
    "EvidenceRecord": "digest:bytes kind:u32 depositor:bytes organisation:string description:string source:string "
    "height:u64 time_ms:u64 count:u64 status:u32 superseded_by:bytes reason:string status_height:u64 "
    "status_time_ms:u64 transaction_id:bytes",
    "LinkRange": "first_height:u64 validators:bytes ended_ms:u64",
    "LinkClient": "chain_id:bytes name:string epoch_length:u64 status:u32 trust_period_ms:u64 relay:bool direct:bool "
    "introduced:bool height:u64 digest:bytes time_ms:u64 ranges:LinkRange* heights:u64* opened_height:u64 "
    "updated_height:u64",
    "LinkHeader": "digest:bytes time_ms:u64 state_root:bytes",
}
BITS = {"u32": 32, "u64": 64, "bool": 1}
DEFAULTS = {"u32": 0, "u64": 0, "bool": 0, "bytes": b"", "string": ""}


def fields_of(name):
    for number, field in enumerate(SCHEMA[name].split(), 1):
        label, kind = field.split(":")
        yield number, label, kind.rstrip("*"), kind.endswith("*")


def varint(n):
    out = b""
    while n >= 0x80:
        out, n = out + bytes([n & 0x7F | 0x80]), n >> 7
    return out + bytes([n])


def encode(name, message):
    out = b""
    for number, label, kind, repeated in fields_of(name):
        value = message[label]
        if repeated and kind in BITS:
            packed = b"".join(map(varint, value))
            out += varint(number << 3 | 2) + varint(len(packed)) + packed if packed else b""
            continue
        for item in value if repeated else [value]:
            if not repeated and (item is None or kind in DEFAULTS and item == DEFAULTS[kind]):
                continue
            if kind in BITS:
                out += varint(number << 3) + varint(item)
                continue
            data = item if kind == "bytes" else item.encode() if kind == "string" else encode(kind, item)
            out += varint(number << 3 | 2) + varint(len(data)) + data
    return out


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, length):
        need(self.at + length <= len(self.data), "codec", "truncated")
        self.at += length
        return self.data[self.at - length : self.at]

    def varint(self):
        n = 0
        for shift in range(0, 70, 7):
            byte = self.take(1)[0]
            n |= (byte & 0x7F) << shift
            if byte < 0x80:
                return n
        raise No("codec", "a varint too long")


def value_of(kind, wire, reader):
    if kind in BITS:
        need(wire == 0, "codec", "wire type")
        n = reader.varint()
        need(n >> BITS[kind] == 0, "codec", "number too large")
        return n
    need(wire == 2, "codec", "wire type")
    data = reader.take(reader.varint())
    if kind == "string":
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise No("codec", "no UTF-8") from None
    return data if kind == "bytes" else decode(kind, data)


def decode(name, data):
    """The message of canonical bytes."""
    by_number = {number: (label, kind, repeated) for number, label, kind, repeated in fields_of(name)}
    message = {label: [] if repeated else DEFAULTS.get(kind) for label, kind, repeated in by_number.values()}
    reader = Reader(data)
    while reader.at < len(data):
        key = reader.varint()
        need(key >> 3 in by_number, "codec", "unknown field")
        label, kind, repeated = by_number[key >> 3]
        if repeated and kind in BITS:
            need(key & 7 == 2, "codec", "wire type")
            packed = Reader(reader.take(reader.varint()))
            while packed.at < len(packed.data):
                message[label].append(value_of(kind, 0, packed))
            continue
        value = value_of(kind, key & 7, reader)
        if repeated:
            message[label].append(value)
        else:
            message[label] = value
    need(encode(name, message) == data, "codec", "not canonical")
    return message


def read(name, data, limit, code):
    need(len(data) <= limit, code, "too long")
    try:
        return decode(name, data)
    except No as error:
        raise No(code, str(error)) from None


# ---- section 5: genesis and validators ----


def quorum(n):
    return n - (n - 1) // 3


def check_set(message, code):
    validators = message["validators"]
    need(1 <= len(validators) <= 64, code, "number of validators")
    keys = [v["public_key"] for v in validators]
    need(all(a < b for a, b in zip(keys, keys[1:])), code, "order of validators")
    need(all(point(key) for key in keys), code, "a validator's key")
    labels = [v[name].encode() for v in validators for name in ("name", "cloud", "organisation")]
    need(all(1 <= len(label) <= 128 for label in labels), code, "a validator's names")
    return {"validators": validators, "digest": tagged("ylValSet", encode("ValidatorSet", message))}


def outer_fields(data, most):
    """Whether a message has at most so many fields on its outermost level; what is malformed is left to the decoder."""
    reader, count = Reader(data), 0
    try:
        while reader.at < len(data) and count <= most:
            count += 1
            wire = reader.varint() & 7
            value = reader.varint() if wire in (0, 2) else 0
            reader.take(value if wire == 2 else 0)
    except No:
        return True
    return count <= most


def check_genesis(data):
    code = "pack_bad_genesis"
    need(len(data) <= 4 << 20 and outer_fields(data, 20_000), code, "too large")
    genesis = read("Genesis", data, 4 << 20, code)
    need(len(encode("ValidatorSet", genesis["validators"] or {"validators": []})) <= 64 * 512, code, "too many validators")
    need(genesis["version"] == 1 and 1 <= len(genesis["name"]) <= 64, code, "version or name")
    need(genesis["epoch_length"] > 0 and genesis["validators"] is not None, code, "epochs or validators")
    genesis["set"] = check_set(genesis["validators"], code)
    genesis["chain_id"] = tagged("ylGenesi", data)
    return genesis


# ---- section 6: transactions ----


def transaction_id(kind, payload):
    return tagged("ylTxIdV1", kind.to_bytes(4, "big"), payload)


def transaction_leaf(identity, signatures):
    listed = encode("TransactionSignatures", {"signatures": signatures})
    return tagged("ylTxLeaf", identity, tagged("ylTxSigs", listed))


def check_transaction(data):
    code = "pack_bad_transaction"
    outer = read("Transaction", data, 131_072, code)
    need(outer["kind"] == 1 and 1 <= len(outer["signatures"]) <= 8, code, "kind or number of signatures")
    for entry in outer["signatures"]:
        need(entry["scheme"] == 1 and point(entry["signer"]) and well_formed(entry["signature"]), code, "a signature's form")
    payload = read("TransactionPayload", outer["payload"], 131_072, code)
    need(payload["version"] == 1, code, "version")
    need(len(payload["chain_id"]) == 32 == len(payload["sender"]), code, "chain or sender")
    need(len(payload["on_behalf_of"]) in (0, 32) and len(payload["nonce"]) == 16, code, "on_behalf_of or nonce")
    names = [payload[name].encode() for name in ("module", "method")]
    need(all(1 <= len(name) <= 32 for name in names) and len(payload["arguments"]) <= 98_304, code, "call")
    keys = payload["declared_keys"]
    need(len(keys) <= 256 and all(4 <= len(key) <= 256 for key in keys), code, "declared keys")
    identity = transaction_id(outer["kind"], outer["payload"])
    leaf = transaction_leaf(identity, outer["signatures"])
    return {"id": identity, "leaf": leaf, "payload": payload, "signatures": outer["signatures"]}


# ---- sections 7 and 8: headers, finality, history ----


def block_digest(header):
    return tagged("ylBlockH", header)


def finality_message(chain_id, epoch, view, parent_view, digest):
    space = b"yulian/1/" + chain_id + b"_FINALIZE"
    return varint(len(space)) + space + varint(epoch) + varint(view) + varint(parent_view) + digest


def check_proof(data, chain_id, validators, header=None):
    """The proof, if it holds; of the header if one is given."""
    proof = read("FinalityProof", data, 4_864, "pack_not_final")
    need(proof["version"] == 1 and len(proof["digest"]) == 32, "pack_not_final", "version or digest")
    bits = proof["signers"]
    signers = [i for i in range(8 * len(bits)) if bits[i // 8] >> (i % 8) & 1]
    fits = len(bits) == (len(validators) + 7) // 8 and all(i < len(validators) for i in signers)
    need(fits and len(signers) == len(proof["signatures"]), "pack_bad_signers")
    need(all(map(well_formed, proof["signatures"])), "pack_not_final", "form of a signature")
    if header:
        own = proof["digest"] == header["digest"] and proof["epoch"] == header["epoch"]
        need(own, "pack_not_final", "proof of another block")
    need(len(signers) >= quorum(len(validators)), "pack_too_few_signers", f"{len(signers)} signed")
    message = finality_message(chain_id, proof["epoch"], proof["view"], proof["parent_view"], proof["digest"])
    for i, signature in zip(signers, proof["signatures"]):
        holds = signed(validators[i]["public_key"], message, signature)
        need(holds, "pack_bad_signature", validators[i]["name"])
    proof["signed_by"] = [validators[i] for i in signers]
    return proof


class History:
    def __init__(self, genesis):
        self.chain_id, self.length = genesis["chain_id"], genesis["epoch_length"]
        self.ranges = [(0, genesis["set"])]

    def at(self, height):
        return [entry for entry in self.ranges if entry[0] <= height][-1]

    def headers(self, datas, proof):
        """Final headers in a row; the proof is of the last."""
        need(1 <= len(datas) <= 1_024, "pack_bad_header", "number of headers")
        out = []
        for data in datas:
            header = self.header(data)
            if out:
                parent = out[-1]
                child = header["height"] == parent["height"] + 1 and header["parent"] == parent["digest"]
                need(child and header["time_ms"] > parent["time_ms"], "pack_bad_header", "headers not linked")
            out.append(header)
        last = out[-1]
        validators = self.at(last["height"])[1]["validators"]
        last["proof"] = check_proof(proof, self.chain_id, validators, last)
        last["set_size"] = len(validators)
        return out

    def header(self, data):
        header = read("BlockHeader", data, 1_024, "pack_bad_header")
        need(header["version"] == 1, "pack_bad_header", "version")
        digests = [header[label] for _, label, kind, _ in fields_of("BlockHeader") if kind == "bytes"]
        need(all(len(digest) == 32 for digest in digests), "pack_bad_header", "a digest")
        need(header["chain_id"] == self.chain_id, "pack_other_chain")
        need(header["epoch"] == header["height"] // self.length, "pack_bad_header", "epoch")
        since, known = self.at(header["height"])
        proven = header["validators"] == known["digest"] and header["validators_since"] == since
        need(proven, "pack_bad_validators", f"at height {header['height']}")
        header["digest"] = block_digest(data)
        return header

    def apply(self, change):
        code = "pack_bad_validators"
        header = self.headers([change["header"]], change["finality"])[0]
        start = header["height"] + 1
        need(start % self.length == 0 and start < 1 << 64, code, "not the last height of an epoch")
        need(start > self.ranges[-1][0], code, "order of the changes")
        new = check_set(read("ValidatorSet", change["validators"], 64 * 512, code), code)
        need(new["digest"] == header["next_validators"], code, "another set")
        need(new["digest"] != self.ranges[-1][1]["digest"], code, "no change")
        self.ranges.append((start, new))


# ---- section 9: state ----


def state_path(module, key):
    return tagged("ylStPath", module.to_bytes(4, "big"), key)


def value_hash(value):
    return tagged("ylStValu", value)


def bit(path, depth):
    return path[depth // 8] >> (7 - depth % 8) & 1


def state_value(proof, root, path):
    """The value hash that a state proof shows at a path, None for no value; No if it proves nothing."""
    if proof == b"\0":
        need(root == ZERO, "proof", "not the empty tree")
        return None
    need(len(proof) >= 65 and proof[0] == 1 and (len(proof) - 65) % 33 == 0, "proof", "length")
    found, value = proof[1:33], proof[33:65]
    levels = [(proof[at], proof[at + 1 : at + 33]) for at in range(65, len(proof), 33)]
    need(all(a[0] < b[0] for a, b in zip(levels, levels[1:])), "proof", "order")
    up = sm3(found, value, b"\0")
    for depth, sibling in reversed(levels):
        need(bit(found, depth) == bit(path, depth), "proof", "astray")
        pair = (sibling, up) if bit(path, depth) else (up, sibling)
        up = sm3(*pair, b"\1", bytes([depth]))
    need(up == root, "proof", "another root")
    return value if found == path else None


# ---- section 10: evidence ----


def row_digest(line):
    return tagged("ylTblRow", line)


# ---- section 11: the file; "?" marks what may be absent ----

CHANGE = {"header": "b64", "finality": "b64", "validators": "b64"}
ENTRY = {"value": "b64", "path": "b64"}
PACK = {
    "format": "text",
    "version": 32,
    "genesis": "b64",
    "set_changes?": [CHANGE],
    "headers": ["b64"],
    "finality": "b64",
    "later?": {"header": "b64", "finality": "b64"},
    "transaction": "b64",
    "receipt": "b64",
    "index": 32,
    "count": 32,
    "transaction_path": "b64",
    "receipt_path": "b64",
    "record": ENTRY,
    "account?": ENTRY,
    "organisation?": ENTRY,
    "key_owner?": ENTRY,
    "drift?": ENTRY,
    "row?": {"digest": "b64", "index": 64, "path": "b64"},
    "relay?": {
        "genesis": "b64",
        "set_changes?": [CHANGE],
        "headers": ["b64"],
        "finality": "b64",
        "client": ENTRY,
        "kept": ENTRY,
    },
}


def shaped(value, shape):
    """The value with base64 decoded, if it has exactly the shape."""
    code = "pack_not_json"
    if isinstance(shape, dict):
        need(isinstance(value, dict), code, "an object is missing")
        names = [name.rstrip("?") for name in shape]
        need(all(name in names for name in value), code, "unknown field")
        out = {}
        for label, inner in shape.items():
            name = label.rstrip("?")
            if name in value:
                out[name] = shaped(value[name], inner)
            else:
                need(label.endswith("?"), code, f"{name} is missing")
        need(list(value) == list(out), "pack_not_canonical", "order of the fields")
        return out
    if isinstance(shape, list):
        need(isinstance(value, list), code, "a list is missing")
        return [shaped(item, shape[0]) for item in value]
    if isinstance(shape, int):
        need(type(value) is int and 0 <= value < 1 << shape, code, "a number")
        return value
    need(isinstance(value, str), code, "a string is missing")
    if shape == "text":
        return value
    try:
        data = base64.b64decode(value, validate=True)
    except ValueError:
        raise No(code, "base64") from None
    need(base64.b64encode(data).decode() == value, "pack_not_canonical", "base64")
    return data


def read_pack(data):
    need(len(data) <= 8 << 20, "pack_too_long")

    def once(pairs):
        need(len({name for name, _ in pairs}) == len(pairs), "pack_not_json", "repeated field")
        return dict(pairs)

    try:
        value = json.loads(data.decode(), object_pairs_hook=once)
    except (ValueError, RecursionError):
        raise No("pack_not_json") from None
    pack = shaped(value, PACK)
    need(json.dumps(value, separators=(",", ":")).encode() == data, "pack_not_canonical")
    for part in (pack, pack.get("relay", {})):
        need(part.get("set_changes") != [], "pack_not_canonical", "empty set_changes")
    known = pack["format"] == "yulian-evidence-pack" and pack["version"] == 1
    need(known, "pack_unknown_format")
    return pack


def siblings(path):
    need(len(path) % 32 == 0 and len(path) <= 64 * 32, "pack_bad_field", "a Merkle path's length")
    return [path[at : at + 32] for at in range(0, len(path), 32)]


# ---- section 12: the steps ----

MODULE_GOVERNANCE, MODULE_ACCOUNT, MODULE_EVIDENCE, MODULE_LINK = 1, 2, 3, 5


def entry_proven(entry, root, module, key, code):
    path = state_path(module, key)
    full = b"\1" + path + value_hash(entry["value"]) + entry["path"]
    try:
        need(len(entry["path"]) <= 256 * 33, "proof", "length")
        found = state_value(full, root, path)
    except No as error:
        raise No(code, str(error)) from None
    need(found == value_hash(entry["value"]), code, "not in the state")


def optional(pack, name, message, root, module, key):
    if name not in pack:
        return None
    entry_proven(pack[name], root, module, key, "pack_bad_entry")
    return read(message, pack[name]["value"], 65_536, "pack_bad_entry")


def deposit_of(payload):
    """(digest, kind, count, description, source)"""
    call = payload["module"], payload["method"]
    if call == ("evidence", "deposit"):
        m = read("Deposit", payload["arguments"], 131_072, "pack_bad_transaction")
        out = m["digest"], 1, 0, m["description"], m["source"]
    elif call == ("evidence", "deposit_batch"):
        m = read("DepositBatch", payload["arguments"], 131_072, "pack_bad_transaction")
        out = m["root"], 2, m["count"], m["description"], m["source"]
    else:
        raise No("pack_not_evidence", ".".join(call))
    need(len(out[0]) == 32, "pack_bad_field", "digest")
    return out


def check_receipt(pack, headers, transaction):
    code = "pack_bad_receipt"
    receipt = read("Receipt", pack["receipt"], 65_536, code)
    leaf, path = merkle_leaf(pack["receipt"]), siblings(pack["receipt_path"])
    placed = in_tree(headers[1]["parent_receipt_root"], leaf, pack["index"], pack["count"], path)
    need(placed and receipt["transaction_id"] == transaction["id"], code)
    need(receipt["status"] == 0, "pack_failed_transaction", receipt["code"])


def check_record(pack, root, transaction, block, deposit):
    code = "pack_bad_record"
    record = read("EvidenceRecord", pack["record"]["value"], 65_536, code)
    key = b"\1" + deposit[0] + record["organisation"].encode()
    entry_proven(pack["record"], root, MODULE_EVIDENCE, key, code)
    payload = transaction["payload"]
    same = tuple(record[name] for name in ("digest", "kind", "count", "description", "source")) == deposit
    acting = len(record["depositor"]) == 32 and record["depositor"] in (payload["sender"], payload["on_behalf_of"])
    placed = (record["height"], record["time_ms"]) == (block["height"], block["time_ms"])
    need(same and acting and placed and record["transaction_id"] == transaction["id"], code, "not of the transaction")
    status = record["status"]
    need(status in (1, 2, 3) and (status != 2 or len(record["superseded_by"]) == 32), code, "status")
    return record


def check_signer(genesis, key, sender, owner):
    in_genesis = any(a["id"] == sender and a["public_key"] == key for a in genesis["accounts"])
    shown = owner or in_genesis or tagged("ylAccntI", key) == sender
    need(shown, "pack_signer_unproven")


def check_names(pack, genesis, root, record, transaction):
    """Proven names and drift, state before genesis."""
    account = optional(pack, "account", "Account", root, MODULE_ACCOUNT, b"\1" + record["depositor"])
    key = b"\3" + record["organisation"].encode()
    organisation = optional(pack, "organisation", "Organisation", root, MODULE_ACCOUNT, key)
    signer, sender = transaction["signatures"][0]["signer"], transaction["payload"]["sender"]
    owner = optional(pack, "key_owner", "KeyOwner", root, MODULE_ACCOUNT, b"\2" + signer)
    drift = optional(pack, "drift", "Parameter", root, MODULE_GOVERNANCE, b"\1clock_drift_ms")
    own = (
        (account is None or (account["id"], account["organisation"]) == (record["depositor"], record["organisation"]))
        and (organisation is None or organisation["id"] == record["organisation"])
        and (owner is None or owner["account"] == sender)
        and (drift is None or drift["name"] == "clock_drift_ms")
    )
    need(own, "pack_bad_entry", "an entry of something else")
    check_signer(genesis, signer, sender, owner)
    first = next((p for p in genesis["parameters"] if p["name"] == "clock_drift_ms"), None)
    accounts = {a["id"]: a["label"] for a in genesis["accounts"]}
    names = {o["id"]: o["name"] for o in genesis["organisations"]}
    return {
        "label": account["label"] if account else accounts.get(record["depositor"]),
        "organisation": organisation["name"] if organisation else names.get(record["organisation"]),
        "key": signer,
        "drift_ms": (drift or first)["value"] if first else None,
        "drift_limit_ms": first["maximum"] if first else None,
    }


def relay_word(part, chain_id, last):
    """What the state of a relay chain says of a chain and of its header `last`, final by the relay chain's own history."""
    code = "pack_bad_relay"
    try:
        genesis = check_genesis(part["genesis"])
        history = history_of(genesis, part)
        headers = history.headers(part["headers"], part["finality"])
        need(history.ranges[-1][0] <= headers[-1]["height"], code, "a needless change")
    except No as error:
        raise No(code, str(error)) from None
    root = headers[0]["parent_state_root"]
    entry_proven(part["client"], root, MODULE_LINK, b"\6" + chain_id, code)
    entry_proven(part["kept"], root, MODULE_LINK, b"\10" + chain_id + last["height"].to_bytes(8, "big"), code)
    client = read("LinkClient", part["client"]["value"], 65_536, code)
    kept = read("LinkHeader", part["kept"]["value"], 65_536, code)
    return genesis, headers, client, kept


def check_relay(part, chain_id, last):
    genesis, headers, client, kept = relay_word(part, chain_id, last)
    need(client["chain_id"] == chain_id and client["status"] in (1, 2, 3), "pack_bad_relay", "another client")
    need(client["status"] != 2, "pack_relay_frozen")
    need(client["status"] != 3, "pack_relay_ended")
    wanted = {"digest": last["digest"], "time_ms": last["time_ms"], "state_root": last["parent_state_root"]}
    need(kept == wanted, "pack_relay_fork", f"it knows {kept['digest'].hex()}")
    return {
        "chain_id": genesis["chain_id"],
        "chain_name": genesis["name"],
        "known_as": client["name"],
        "vouched_height": last["height"],
        "vouched_block": last["digest"],
        "as_of_height": headers[0]["height"] - 1,
        "as_of_time_ms": headers[0]["time_ms"],
        "finalised": headers[-1],
        "set_changes": len(part.get("set_changes", [])),
    }


def history_of(genesis, part):
    changes = part.get("set_changes", [])
    need(len(changes) <= 1_024, "pack_bad_validators", "too many changes")
    history = History(genesis)
    for change in changes:
        history.apply(change)
    return history


def verify(data, subject=None):
    """What a pack proves, if it holds together; raises No. `subject` is a digest that it must be of."""
    pack = read_pack(data)
    genesis = check_genesis(pack["genesis"])
    transaction = check_transaction(pack["transaction"])
    history = history_of(genesis, pack)
    headers = history.headers(pack["headers"], pack["finality"])
    last, later = headers[-1], None
    if "later" in pack:
        later = history.headers([pack["later"]["header"]], pack["later"]["finality"])[0]
        need(later["height"] > last["height"], "pack_bad_header", "later is not later")
        last = later
    need(history.ranges[-1][0] <= last["height"], "pack_bad_validators", "a needless change")

    block, payload = headers[0], transaction["payload"]
    need(payload["chain_id"] == genesis["chain_id"], "pack_other_chain")
    path = siblings(pack["transaction_path"])
    placed = in_tree(block["transaction_root"], transaction["leaf"], pack["index"], pack["count"], path)
    need(placed, "pack_not_in_block")
    for entry in transaction["signatures"]:
        holds = signed(entry["signer"], transaction["id"], entry["signature"])
        need(holds, "pack_bad_transaction_signature")
    need(len(headers) >= 2, "pack_bad_header", "no child of the block")
    check_receipt(pack, headers, transaction)

    root = last["parent_state_root"]
    deposit = deposit_of(payload)
    record = check_record(pack, root, transaction, block, deposit)
    digest, row = deposit[0], pack.get("row")
    if row:
        need(len(row["digest"]) == 32, "pack_bad_field", "row.digest")
        path = siblings(row["path"])
        in_batch = deposit[1] == 2 and in_tree(deposit[0], merkle_leaf(row["digest"]), row["index"], deposit[2], path)
        need(in_batch, "pack_not_in_batch")
        digest = row["digest"]
    names = check_names(pack, genesis, root, record, transaction)
    if subject is not None:
        need(row or deposit[1] == 1, "pack_row_missing")
        need(subject == digest, "pack_other_content", f"given {subject.hex()}, deposited {digest.hex()}")
    relay = check_relay(pack["relay"], genesis["chain_id"], last) if "relay" in pack else None
    return {
        "chain_id": genesis["chain_id"],
        "chain_name": genesis["name"],
        "digest": digest,
        "record": record,
        "names": names,
        "transaction_id": transaction["id"],
        "block": block,
        "finalised": headers[-1],
        "later": later,
        "as_of_height": last["height"] - 1,
        "as_of_time_ms": last["time_ms"],
        "set_changes": len(pack.get("set_changes", [])),
        "relay": relay,
    }


# ---- what is shown ----


def time(ms):
    return datetime.fromtimestamp(ms / 1000, timezone.utc).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " UTC"


def show_signers(header):
    proof = header["proof"]
    print(f"  final at height {header['height']}: {len(proof['signed_by'])} of {header['set_size']} validators signed")
    for validator in proof["signed_by"]:
        print(f"    {validator['name']} ({validator['cloud']}, {validator['organisation']})")


def show_relay(relay):
    print(f"relay chain  {relay['chain_name']}  {relay['chain_id'].hex()}")
    print(f"vouches for  {relay['known_as']}, block {relay['vouched_height']} {relay['vouched_block'].hex()}")
    print(f"             (as of its height {relay['as_of_height']}, {time(relay['as_of_time_ms'])})")
    show_signers(relay["finalised"])


def show(report):
    record, names, block = report["record"], report["names"], report["block"]
    if report["relay"]:
        show_relay(report["relay"])
    print(f"chain        {report['chain_name']}  {report['chain_id'].hex()}")
    print(f"digest       {report['digest'].hex()}")
    print(f"description  {record['description']}   source  {record['source']}")
    organisation = names["organisation"] or "(name not in the pack)"
    print(f"depositor    {names['label'] or ''} {record['depositor'].hex()}")
    print(f"organisation {record['organisation']} {organisation}")
    drift = "" if names["drift_ms"] is None else f" ± {names['drift_ms']} ms (never above {names['drift_limit_ms']} ms)"
    print(f"deposited    height {block['height']}, {time(block['time_ms'])}{drift}")
    print(f"transaction  {report['transaction_id'].hex()}")
    show_signers(report["finalised"])
    if report["later"]:
        show_signers(report["later"])
    status = {1: "active", 2: "superseded by " + record["superseded_by"].hex(), 3: "revoked"}[record["status"]]
    changed = "" if record["status"] == 1 else f" at height {record['status_height']}: {record['reason']}"
    print(f"status       {status}{changed}  (as of height {report['as_of_height']}, {time(report['as_of_time_ms'])})")


def arguments(words):
    pack, given, row, trusted = None, None, None, set()
    words = list(words)
    while words:
        word = words.pop(0)
        if word in ("--row", "--genesis"):
            if not words:
                raise ValueError(f"{word} needs a value")
            value = words.pop(0)
            if word == "--row":
                row = value
            elif re.fullmatch("[0-9a-f]{64}", value):
                trusted.add(bytes.fromhex(value))
            else:
                raise ValueError("a genesis digest is 64 hexadecimal digits")
        elif pack is None:
            pack = word
        elif given is None:
            given = word
        else:
            raise ValueError("too many arguments")
    if pack is None or given is not None and row is not None:
        raise ValueError("PACK [FILE | --row LINE] [--genesis DIGEST]...")
    return pack, given, row, trusted


def main(words):
    try:
        name, given, row, trusted = arguments(words)
        with open(name, "rb") as file:
            data = file.read((8 << 20) + 1)
        subject = row_digest(row.encode()) if row is not None else None
        if given is not None:
            with open(given, "rb") as file:
                subject = sm3(file.read())
    except (OSError, ValueError) as error:
        print(f"could not run: {error}")
        return 2
    try:
        report = verify(data, subject)
    except No as error:
        print(f"no: {error}")
        return 1
    show(report)
    relay = report["relay"]
    if report["chain_id"] not in trusted and not (relay and relay["chain_id"] in trusted):
        print(f"no: consistent, but of an unknown chain: {report['chain_id'].hex()}")
        return 1
    if report["record"]["status"] != 1:
        print("no: the deposit is proven, but the record is no longer active")
        return 1
    if report["chain_id"] not in trusted:
        print(f"trusted is the relay chain: it vouches for this chain as {relay['known_as']}")
    print("yes: proven" + ("" if subject is None else ", and what was given is what was deposited"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
