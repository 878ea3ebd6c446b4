"""Recomputes every file of vectors/ with the code of verify_pack.py: python3 check_vectors.py

The vectors are written by the Rust crates; this shows that docs/formats.md says the same.
"""

import json
import pathlib
import sys

sys.dont_write_bytecode = True

import verify_pack as v  # noqa: E402

VECTORS = pathlib.Path(__file__).resolve().parents[2] / "vectors"
CHECKED = {}


def load(name):
    with open(VECTORS / name, encoding="utf-8") as file:
        return json.load(file)


def same(what, found, expected):
    CHECKED[what.split()[0]] = CHECKED.get(what.split()[0], 0) + 1
    if isinstance(found, bytes):
        found = found.hex()
    if found != expected:
        raise SystemExit(f"{what}: found {found}, expected {expected}")


def refused(call, *arguments):
    try:
        call(*arguments)
        return False
    except v.No:
        return True


def published():
    """Examples of GB/T 32905-2016, A.1 and A.2, and of GB/T 32918.5-2017, A.2."""
    same("sm3 abc", v.sm3(b"abc"), "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0")
    long = "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"
    same("sm3 abcd×16", v.sm3(b"abcd" * 16), long)
    key = bytes.fromhex("0309f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020")
    r = bytes.fromhex("f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3")
    s = bytes.fromhex("b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa")
    same("sm2 example", v.signed(key, b"message digest", r + s), True)
    same("sm2 other message", v.signed(key, b"message digesT", r + s), False)


def merkle():
    for case in load("merkle.json")["cases"]:
        leaves = [v.merkle_leaf(n.to_bytes(8, "big")) for n in range(case["count"])]
        root = v.merkle_root(leaves)
        same(f"merkle root {case['count']}", root, case["root"])
        for proof in case["proofs"]:
            path = [bytes.fromhex(s) for s in proof["siblings"]]
            for index in range(case["count"] + 1):
                leaf = leaves[min(index, case["count"] - 1)]
                holds = v.in_tree(root, leaf, index, case["count"], path)
                same(f"merkle proof {case['count']}/{index}", holds, index == proof["index"])


def transactions():
    data = load("transaction.json")
    secret = int(data["secret_key"], 16)
    x, y = v.times(secret, v.G)
    key = bytes([2 + y % 2]) + x.to_bytes(32, "big")
    same("transaction key", key, data["public_key"])
    same("transaction account", v.tagged("ylAccntI", key), data["account_id"])
    for case in data["cases"]:
        found = v.check_transaction(bytes.fromhex(case["bytes"]))
        same(f"transaction id {case['name']}", found["id"], case["id"])
        same(f"transaction leaf {case['name']}", found["leaf"], case["leaf"])
        signature = found["signatures"][0]["signature"]
        same(f"transaction signature {case['name']}", signature, case["signature"])
        same(f"transaction signed {case['name']}", v.signed(key, found["id"], signature), True)
        same(f"transaction not signed {case['name']}", v.signed(key, found["leaf"], signature), False)
        same(f"transaction payload {case['name']}", v.encode("TransactionPayload", found["payload"]), case["payload"])


def genesis():
    data = load("genesis.json")
    found = v.check_genesis(bytes.fromhex(data["bytes"]))
    same("genesis chain id", found["chain_id"], data["chain_id"])
    same("genesis set", found["set"]["digest"], data["validators"])
    header = dict.fromkeys(("parent", "transaction_root", "parent_state_root", "parent_receipt_root"), v.ZERO)
    header |= dict.fromkeys(("parent_write_set_root", "parent_message_root"), v.ZERO)
    header |= dict.fromkeys(("validators", "next_validators"), found["set"]["digest"])
    header |= {"version": 1, "chain_id": found["chain_id"], "epoch": 0, "height": 0, "validators_since": 0}
    header |= {name: found[name] for name in ("time_ms", "protocol_version")}
    encoded = v.encode("BlockHeader", header)
    same("genesis header", encoded, data["block"]["header"])
    same("genesis digest", v.block_digest(encoded), data["block"]["digest"])
    same("genesis block", v.encode("Block", {"header": encoded, "transactions": []}), data["block"]["bytes"])


def blocks():
    data = load("block.json")
    receipts, state = None, None
    for case in data["blocks"]:
        block = v.decode("Block", bytes.fromhex(case["bytes"]))
        header = v.decode("BlockHeader", block["header"])
        same("block header", block["header"], case["header"])
        same("block digest", v.block_digest(block["header"]), case["digest"])
        leaves = [v.check_transaction(transaction)["leaf"] for transaction in block["transactions"]]
        same("block leaves", [leaf.hex() for leaf in leaves], case["transaction_leaves"])
        same("block transaction root", v.merkle_root(leaves), case["transaction_root"])
        same("block transaction root in header", header["transaction_root"], case["transaction_root"])
        if receipts is not None:
            same("block receipt root in header", header["parent_receipt_root"], receipts.hex())
            same("block state root in header", header["parent_state_root"], state)
        receipts = v.merkle_root([v.merkle_leaf(bytes.fromhex(receipt)) for receipt in case["receipts"]])
        same("block receipt root", receipts, case["receipt_root"])
        state = case["state_root_after"]


def validator_sets():
    data = load("validator-set.json")
    same("validators quorums", [v.quorum(n) for n in range(1, 65)], data["quorum_of_1_to_64"])
    for case in data["cases"]:
        found = v.check_set(v.decode("ValidatorSet", bytes.fromhex(case["bytes"])), "set")
        same("validators digest", found["digest"], case["digest"])
        same("validators quorum", v.quorum(len(found["validators"])), case["quorum"])


def finality():
    data = load("finality.json")
    chain, digest = bytes.fromhex(data["chain_id"]), bytes.fromhex(data["digest"])
    for case in data["messages"]:
        numbers = case["epoch"], case["view"], case["parent_view"]
        same("finality message", v.finality_message(chain, *numbers, digest), case["message"])
    validators = v.decode("ValidatorSet", bytes.fromhex(data["validators"]))["validators"]
    for case in data["proofs"]:
        fails = refused(v.check_proof, bytes.fromhex(case["bytes"]), chain, validators)
        same(f"finality proof {case['name']}", not fails, case["holds"])


def state():
    data = load("state-keys.json")
    account, digest = bytes.fromhex(data["account_id"]), bytes.fromhex(data["digest"])
    keys = [
        (1, b"\1clock_drift_ms"),
        (2, b"\1" + account),
        (2, b"\2" + bytes.fromhex(data["public_key"])),
        (2, b"\3zzdata"),
        (3, b"\1" + digest + b"zzdata"),
    ]
    for (module, key), case in zip(keys, data["cases"], strict=True):
        same(f"state key {case['name']}", key, case["key"])
        same(f"state path {case['name']}", v.state_path(module, key), case["path"])
        same(f"state declared {case['name']}", module.to_bytes(4, "big") + key, case["declared"])
    for case in load("state-tree.json")["cases"]:
        for proof in case["proofs"]:
            path = v.state_path(proof["module_id"], bytes.fromhex(proof["key"]))
            data, root = bytes.fromhex(proof["proof"]), bytes.fromhex(case["root"])
            found = v.state_value(data, root, path)
            same(f"state proof {case['name']}", found and found.hex(), proof["value_hash"])
            wrong = bytes(31) + b"\1" if root != bytes(31) + b"\1" else v.ZERO
            same(f"state proof under another root {case['name']}", refused(v.state_value, data, wrong, path), True)


def rows():
    data = load("table-row.json")
    leaves = []
    for case in data["rows"]:
        digest = v.row_digest(case["row"].encode())
        same("rows digest", digest, case["digest"])
        leaves.append(v.merkle_leaf(digest))
        same("rows leaf", leaves[-1], case["batch_leaf"])
    root = v.merkle_root(leaves)
    same("rows root", root, data["batch_root"])
    for index, case in enumerate(data["rows"]):
        path = [bytes.fromhex(s) for s in case["siblings"]]
        same("rows proof", v.in_tree(root, leaves[index], index, len(leaves), path), True)


def changed(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def packs():
    for case in load("packs.json")["cases"]:
        data = (VECTORS / case["file"]).read_bytes()
        given = case["subject"]
        subject = v.row_digest(given["row"].encode()) if "row" in given else v.sm3(given["text"].encode())
        found, expected = v.verify(data, subject), case["report"]
        record = found["record"]
        same("packs genesis", found["chain_id"], case["genesis"])
        for name in ("chain_id", "digest", "transaction_id"):
            same(f"packs {name}", found[name], expected[name])
        for name in ("chain_name", "as_of_height", "as_of_time_ms", "set_changes"):
            same(f"packs {name}", found[name], expected[name])
        same("packs height", found["block"]["height"], expected["height"])
        same("packs time", found["block"]["time_ms"], expected["time"]["time_ms"])
        same("packs drift", found["names"]["drift_ms"], expected["time"]["drift"]["ms"])
        same("packs drift limit", found["names"]["drift_limit_ms"], expected["time"]["drift"]["limit_ms"])
        same("packs status", ["", "active", "superseded", "revoked"][record["status"]], expected["status"]["status"])
        depositor = expected["depositor"]
        same("packs depositor", record["depositor"], depositor["account"])
        same("packs label", found["names"]["label"], depositor["label"][0])
        same("packs organisation", found["names"]["organisation"], depositor["organisation_name"][0])
        same("packs key", found["names"]["key"], depositor["key"])
        for header, finality in ((found["finalised"], "finality"), (found["later"], "status_finality")):
            signed = [by["name"] for by in header["proof"]["signed_by"]] if header else None
            wanted = expected[finality] and [by["name"] for by in expected[finality]["signed_by"]]
            same("packs signers", signed, wanted)
        same("packs other subject", refused(v.verify, data, v.sm3(b"another")), True)
        for at in range(0, len(data), 601):
            same("packs changed byte", refused(v.verify, changed(data, at), subject), True)


def relayed():
    data = load("relay-packs.json")
    for case in data["cases"]:
        pack = (VECTORS / case["file"]).read_bytes()
        found, expected = v.verify(pack, v.row_digest(case["subject"]["row"].encode())), case["report"]["relay"]
        chain, last = bytes.fromhex(case["genesis"]), found["relay"]["vouched_height"]
        same("relayed genesis", found["chain_id"], case["genesis"])
        same("relayed relay", found["relay"]["chain_id"], case["relay"])
        for name in ("chain_id", "chain_name", "known_as", "as_of_height", "as_of_time_ms", "set_changes"):
            same(f"relayed {name}", found["relay"][name], expected[name])
        for name in ("vouched_height", "vouched_block"):
            same(f"relayed {name}", found["relay"][name], expected[name])
        signed = [by["name"] for by in found["relay"]["finalised"]["proof"]["signed_by"]]
        same("relayed signers", signed, [by["name"] for by in expected["finality"]["signed_by"]])
        keys = {"client": b"\6" + chain, "kept": b"\10" + chain + last.to_bytes(8, "big")}
        same("relayed keys", {name: key.hex() for name, key in keys.items()}, case["keys"])
        for at in range(0, len(pack), 601):
            same("relayed changed byte", refused(v.verify, changed(pack, at)), True)
    refused_as(data["refused"])


def refusals():
    refused_as(load("packs-refused.json")["cases"])


def refused_as(cases):
    for case in cases:
        data, change = (VECTORS / case["base"]).read_bytes(), case["change"]
        rest = data[change["at"] + change["remove"] :]
        try:
            v.verify(data[: change["at"]] + change["insert"].encode() + rest)
            code = "none"
        except v.No as error:
            code = error.code
        same(f"refusals {case['name']}", code, case["code"])


def main():
    formats = (published, merkle, transactions, genesis, blocks, validator_sets, finality, state, rows)
    for check in formats + (packs, relayed, refusals):
        check()
    print("checked " + ", ".join(f"{name} {count}" for name, count in CHECKED.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
