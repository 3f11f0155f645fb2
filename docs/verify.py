"""Verify farthing's receipts and logs with Python's standard library alone.

    python3 verify.py KEY FILE.tlog-proof     one query's entry is in the log that was signed
    python3 verify.py KEY FOLDER              all entries and tiles are the log that was signed
KEY is what `farthing log-key` prints; have it from its owner, not from beside what you check.
Verified is what was not changed since it was logged; that all was logged, bills must tell.
Forms: c2sp.org/signed-note, tlog-checkpoint, tlog-tiles, tlog-proof; RFC 6962 §2.1; RFC 8032.
"""

import sys
from base64 import b64decode, b64encode
from hashlib import sha256, sha512
from pathlib import Path

P = 2**255 - 19  # Ed25519: RFC 8032 §5.1
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
HANDOVER = b"\xfffarthing/log-key/v1"  # the type of an old key's signature of a new one

def point(data):
    y, sign = int.from_bytes(data, "little") & (1 << 255) - 1, data[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * pow(2, (P - 1) // 4, P) % P
    check(y < P and x * x % P == square and (x or not sign), "no point of the curve")
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P

def add(one, other):
    a, b = (one[1] - one[0]) * (other[1] - other[0]), (one[1] + one[0]) * (other[1] + other[0])
    c, d = 2 * one[3] * other[3] * D, 2 * one[2] * other[2]
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P

def times(number, base):
    half = times(number // 2, add(base, base)) if number else (0, 1, 1, 0)
    return add(half, base) if number & 1 else half

def check_signature(key, text, signature):
    check(len(key) == 32 and len(signature) == 64, "a key or a signature of another length")
    s = int.from_bytes(signature[32:], "little")
    digest = int.from_bytes(sha512(signature[:32] + key + text).digest(), "little") % Q
    left = times(s, point((4 * pow(5, -1, P) % P).to_bytes(32, "little")))
    right = add(point(signature[:32]), times(digest, point(key)))
    same = (left[n] * right[2] % P == right[n] * left[2] % P for n in (0, 1))
    check(s < Q and all(same), "the signature is wrong")

def check(good, problem):
    if not good:
        raise ValueError(problem)

def decoded(text):
    data = b64decode(text, validate=True)
    check(b64encode(data).decode() == text, "base64 with bits that say nothing")
    return data

def id_of(name, public):
    return sha256(name.encode() + b"\n" + public).digest()[:4]

def read_checkpoint(data, key):
    name, key_id, material = key.strip().split("+", 2)
    public, signed = decoded(material), {}
    check(public[:1] == b"\1" and id_of(name, public).hex() == key_id, "not a log's key")
    text, _, lines = data.decode().rpartition("\n\n")
    origin, size, root = text.split("\n")
    check(origin == name and size == str(int(size)), "the checkpoint is another log's")
    check(lines[-1:] == "\n" and len(decoded(root)) == 32, "the checkpoint is cut off")
    for line in lines[:-1].split("\n"):
        mark, signer, raw = line.split(" ")
        check(mark == "—" and signer and (signer, decoded(raw)[:4]) not in signed, "no signature")
        signed[signer, decoded(raw)[:4]] = decoded(raw)[4:]  # others' are not ours to judge
    while (name, id_of(name, public)) not in signed:  # the key was rotated: its word for the next
        word = signed.pop((name, id_of(name, HANDOVER + public[1:])), b"")
        check(len(word) == 96, "the log has not signed it")
        old, public = public, b"\1" + word[:32]
        said = f"{name}+{id_of(name, public).hex()}+{b64encode(public).decode()}\n".encode()
        check_signature(old[1:], HANDOVER[1:] + b"\n" + said, word[32:])
    check_signature(public[1:], f"{text}\n".encode(), signed[name, id_of(name, public)])
    return int(size), decoded(root)

def root_of(hashes):
    if len(hashes) < 2:
        return hashes[0] if hashes else sha256(b"").digest()
    middle = 1 << (len(hashes) - 1).bit_length() - 1
    return sha256(b"\1" + root_of(hashes[:middle]) + root_of(hashes[middle:])).digest()

def verify_receipt(data, key):
    head, _, checkpoint = data.partition(b"\n\n")
    first, extra, index, *proof = head.decode().split("\n")
    size, root = read_checkpoint(checkpoint, key)
    at, last, entry = int(index[6:]), size - 1, decoded(extra[6:])
    good = first == "c2sp.org/tlog-proof@v1" and extra[:6] == "extra " and index == f"index {at}"
    check(good and 0 <= at < size, "not a receipt")
    number, found = at, sha256(b"\0" + entry).digest()
    for step in map(decoded, proof):  # RFC 9162 §2.1.3.2
        check(last, "the proof is too long")
        if at & 1 or at == last:
            found = root_of([step, found])
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            found = root_of([found, step])
        at, last = at >> 1, last >> 1
    check(last == 0 and found == root, "the proof does not lead to what was signed")
    return f"leaf {number} of {size}: {entry.decode()}"

def hashes_in(level, data):
    while data:
        end = 2 + int.from_bytes(data[:2], "big") if level == "entries" else 32
        check(end <= len(data), "a file is cut off")
        yield sha256(b"\0" + data[2:end]).digest() if level == "entries" else data[:end]
        data = data[end:]

def path_of(level, number, width):
    groups = [group.zfill(3) for group in f"{number:,}".split(",")]
    name = "/".join([level, *("x" + group for group in groups[:-1]), groups[-1]])
    return name if width == 256 else f"{name}.p/{width}"

def verify_folder(folder, key):
    size, root = read_checkpoint((folder / "checkpoint").read_bytes(), key)
    files = {p.relative_to(folder / "tile").as_posix(): p for p in folder.glob("tile/**/[!.]*")}
    files, tree, beyond = {n: p for n, p in files.items() if p.is_file()}, {"0": []}, 0
    for number in range(-(-size // 256)):
        width = min(256, size - number * 256)
        whole, part = (files.get(path_of("entries", number, wide)) for wide in (256, width))
        tree["0"] += list(hashes_in("entries", (part or whole or folder).read_bytes()))[:width]
    check(len(tree["0"]) == size and root_of(tree["0"]) == root, "not what was signed")
    while len(row := tree[str(len(tree) - 1)]) >= 256:
        tree[str(len(tree))] = [root_of(row[n : n + 256]) for n in range(0, len(row) - 255, 256)]
    for level, hashes in tree.items():
        for number in range(-(-len(hashes) // 256)):
            paths = {path_of(level, number, w) for w in (256, min(256, len(hashes) - number * 256))}
            check(paths & files.keys(), f"{level}/{number} is missing")
    for name, path in files.items():
        level, *groups = name.partition(".p/")[0].split("/")
        number, width = int("".join(groups).replace("x", "")), int(name.partition(".p/")[2] or 256)
        check(path_of(level, number, width) == name, f"{name} is no file of a log")
        found = list(hashes_in(level, path.read_bytes()))
        made = tree.get("0" if level == "entries" else level, [])[number * 256 :][:width]
        check(len(found) == width and found[: len(made)] == made, f"{name} was changed")
        beyond += len(made) < width
    return f"{size} entries and their tiles are what was signed; {beyond} files go beyond it"

if __name__ == "__main__":
    try:
        key, what = sys.argv[1], Path(sys.argv[2])
        print(verify_folder(what, key) if what.is_dir() else verify_receipt(what.read_bytes(), key))
    except (ValueError, OSError, IndexError) as problem:
        sys.exit(f"NOT VERIFIED: {problem}")
