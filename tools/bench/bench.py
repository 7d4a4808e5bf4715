"""Runs fio against the product and, in the same run, against the disk below it; prints one row per workload.

The disk reference is what performance goals are measured against: three O_DSYNC writers on three files, each with the named
depth, their sum divided by three (three copies on one disk); reads: one O_DIRECT reader.
CPU is user + system time of the given processes; bytes to disk are those of the block device that holds the directory.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

TICKS = os.sysconf("SC_CLK_TCK")
WORKLOADS = [
    ("randwrite-4k-qd1", "randwrite", "4k", 1),
    ("randwrite-4k-qd16", "randwrite", "4k", 16),
    ("randwrite-4k-qd64", "randwrite", "4k", 64),
    ("randread-4k-qd1", "randread", "4k", 1),
    ("randread-4k-qd16", "randread", "4k", 16),
    ("randread-4k-qd64", "randread", "4k", 64),
    ("seqwrite-128k-qd8", "write", "128k", 8),
    ("seqread-128k-qd8", "read", "128k", 8),
]


def cpu_seconds(pids):
    total = 0.0
    for pid in pids:
        fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
        total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


def resident_mib(pids):
    total = 0
    for pid in pids:
        for line in open(f"/proc/{pid}/status"):
            if line.startswith("VmRSS:"):
                total += int(line.split()[1])
    return total // 1024


def device_of(path):
    number = os.stat(path).st_dev
    want = f"{os.major(number)}:{os.minor(number)}"
    for line in open("/proc/self/mountinfo"):
        fields = line.split()
        if fields[2] == want:
            return want
    return want


def bytes_written(device):
    major, minor = device.split(":")
    for line in open("/proc/diskstats"):
        fields = line.split()
        if fields[0] == major and fields[1] == minor:
            return int(fields[9]) * 512
    return 0


def fio(options, jobs=1):
    with tempfile.NamedTemporaryFile("w", suffix=".fio", delete=False) as job_file:
        job_file.write("[global]\nthread=1\nrandrepeat=0\ngroup_reporting=1\n" + "\n".join(options[0]) + "\n")
        for index, job in enumerate(options[1]):
            job_file.write(f"[job{index}]\n" + "\n".join(job) + "\n")
    try:
        run = subprocess.run(["fio", "--output-format=json", job_file.name], capture_output=True, text=True)
    finally:
        os.unlink(job_file.name)
    if run.returncode != 0 or "{" not in run.stdout:
        raise SystemExit(f"fio failed ({run.returncode}): {run.stdout[-600:]} {run.stderr[-600:]}")
    return json.loads(run.stdout[run.stdout.index("{"):])["jobs"][0]


def side(result, kind):
    figures = result["read" if "read" in kind else "write"]
    percentiles = figures["clat_ns"].get("percentile", {})
    return {
        "iops": figures["iops"],
        "mibs": figures["bw_bytes"] / 2**20,
        "mean": figures["lat_ns"]["mean"] / 1000,
        "p50": percentiles.get("50.000000", 0) / 1000,
        "p99": percentiles.get("99.000000", 0) / 1000,
        "p999": percentiles.get("99.900000", 0) / 1000,
        "ios": figures["total_ios"],
        "bytes": figures["io_bytes"],
    }


def reference(directory, kind, size, depth, runtime):
    """The disk itself: three durable writers divided by three, or one direct reader."""
    files = 1 if "read" in kind else 3
    common = ["ioengine=io_uring", "direct=1", f"rw={kind}", f"bs={size}", f"iodepth={depth}", "size=1g", "overwrite=1",
              "time_based=1", f"runtime={runtime}", "norandommap=1"]
    if "read" not in kind:
        common.append("sync=dsync")
    jobs = [[f"filename={directory}/reference{index}"] for index in range(files)]
    return side(fio((common, jobs)), kind)["iops"] / files


def product(uri, kind, size, depth, runtime):
    common = ["ioengine=nbd", f"uri={uri}", f"rw={kind}", f"bs={size}", f"iodepth={depth}", "size=1g",
              "time_based=1", f"runtime={runtime}", "norandommap=1"]
    return side(fio((common, [[]])), kind)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--uri", required=True)
    parser.add_argument("--pids", required=True)
    parser.add_argument("--disk-directory", required=True)
    parser.add_argument("--only", default=".")
    parser.add_argument("--runtime", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=1)
    arguments = parser.parse_args()
    pids = [int(pid) for pid in arguments.pids.split()]
    directory = os.path.join(arguments.disk_directory, "reference")
    os.makedirs(directory, exist_ok=True)
    device = device_of(directory)
    for index in range(3):
        subprocess.run(["dd", "if=/dev/zero", f"of={directory}/reference{index}", "bs=1M", "count=1024", "oflag=direct",
                        "status=none"], check=True)
    print("prefilling the volume and overwriting it once", file=sys.stderr)
    for pattern in ("write", "randwrite"):
        fio((["ioengine=nbd", f"uri={arguments.uri}", f"rw={pattern}", "bs=128k", "iodepth=8", "size=1g"], [[]]))
    print("| workload | IOPS | MiB/s | mean us | p50 us | p99 us | p99.9 us | CPU s per million | RSS MiB | disk bytes per byte |"
          " disk IOPS | of the disk |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    for name, kind, size, depth in WORKLOADS:
        if not re.search(arguments.only, name):
            continue
        rows = []
        for _ in range(arguments.repeats):
            disk = reference(directory, kind, size, depth, arguments.runtime)
            cpu, written = cpu_seconds(pids), bytes_written(device)
            figures = product(arguments.uri, kind, size, depth, arguments.runtime)
            cpu, written = cpu_seconds(pids) - cpu, bytes_written(device) - written
            rows.append((figures["iops"] / disk, disk, cpu, written, figures))
        ratio, disk, cpu, written, figures = sorted(rows, key=lambda row: row[0])[len(rows) // 2]
        amplification = written / figures["bytes"] if "write" in kind and figures["bytes"] else 0
        print(f"| {name} | {figures['iops']:.0f} | {figures['mibs']:.1f} | {figures['mean']:.0f} | {figures['p50']:.0f} |"
              f" {figures['p99']:.0f} | {figures['p999']:.0f} | {cpu * 1e6 / max(figures['ios'], 1):.0f} |"
              f" {resident_mib(pids)} | {amplification:.2f} | {disk:.0f} | {ratio * 100:.0f} % |", flush=True)


main()
