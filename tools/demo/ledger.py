"""A writer that keeps a ledger of acknowledged writes outside the volume, and the reader that holds the volume to it.

  ledger.py write FILE LEDGER SECONDS   writes stamped 4 KiB blocks with O_DSYNC|O_DIRECT; exit status = number of I/O errors
  ledger.py pause LEDGER KILLED_AT      prints the longest time between two acknowledgements after the kill
  ledger.py check FILE LEDGER           reads every block back with O_DIRECT; prints `lost writes N`
"""
import mmap
import os
import random
import struct
import sys
import time

BLOCK = 4096
BLOCKS = 16384  # 64 MiB: enough to be overwritten several times in a short run


def stamped(buffer, number, block):
    buffer.seek(0)
    buffer.write(struct.pack("<QQ", number, block) * (BLOCK // 16))


def write(path, ledger, seconds):
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_DIRECT | os.O_DSYNC, 0o600)
    buffer = mmap.mmap(-1, BLOCK)
    log = open(ledger, "w", buffering=1)
    end = time.monotonic() + seconds
    number = errors = 0
    pick = random.Random(42)
    while time.monotonic() < end:
        number += 1
        block = pick.randrange(BLOCKS)
        stamped(buffer, number, block)
        try:
            os.pwrite(fd, buffer, block * BLOCK)
        except OSError as error:
            errors += 1
            print(f"write {number}: {error}", file=sys.stderr)
            continue
        log.write(f"{time.time():.6f} {number} {block}\n")
    os.close(fd)
    return min(errors, 125)


def entries(ledger):
    for line in open(ledger):
        fields = line.split()
        if len(fields) == 3:
            yield float(fields[0]), int(fields[1]), int(fields[2])


def pause(ledger, killed_at):
    last, longest = None, 0.0
    for when, _, _ in entries(ledger):
        if last is not None and when >= killed_at:
            longest = max(longest, when - last)
        last = when
    print(f"pause {longest * 1000:.0f} ms")
    return 0


def check(path, ledger):
    newest = {}
    count = 0
    for _, number, block in entries(ledger):
        newest[block] = number
        count += 1
    fd = os.open(path, os.O_RDONLY | os.O_DIRECT)
    buffer = mmap.mmap(-1, BLOCK)
    lost = 0
    for block, number in sorted(newest.items()):
        os.preadv(fd, [buffer], block * BLOCK)
        expected = struct.pack("<QQ", number, block) * (BLOCK // 16)
        found = buffer[:]
        # A write that was under way when the run ended may be there without being in the ledger; older never.
        later = struct.unpack("<QQ", found[:16])
        if found != expected and not (later[0] > number and later[1] == block and found == found[:16] * (BLOCK // 16)):
            lost += 1
    print(f"acknowledged writes {count}, blocks read back {len(newest)}")
    print(f"lost writes {lost}")
    return 1 if lost else 0


if __name__ == "__main__":
    command, *args = sys.argv[1:]
    if command == "write":
        sys.exit(write(args[0], args[1], float(args[2])))
    if command == "pause":
        sys.exit(pause(args[0], float(args[1])))
    sys.exit(check(args[0], args[1]))
