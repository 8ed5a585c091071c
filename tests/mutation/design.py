"""The RTL library as Yosys reads it, for the mutation score."""
import os
import pathlib
import signal
import subprocess
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "rtl" / "lib"
SPENT = threading.local()


def modules_of_library():
    return sorted(p.stem for p in LIBRARY.glob("*.sv") if not p.stem.endswith("_pkg"))


def sources():
    packages = [LIBRARY / "loom_pkg.sv", LIBRARY / "loom_desc_pkg.sv"]
    return packages + sorted(p for p in LIBRARY.glob("*.sv") if p not in packages)


def call(command, log, cwd=None, cpu_seconds=None):
    """Runs a command; whether it ended by itself. False: it used up `cpu_seconds`."""
    limit = ["prlimit", f"--cpu={cpu_seconds}"] if cpu_seconds else []
    with open(log, "w") as out:
        run = subprocess.Popen(list(map(str, [*limit, *command])), stdout=out, stderr=subprocess.STDOUT, cwd=cwd)
        _, status, usage = os.wait4(run.pid, 0)
    run.returncode = os.waitstatus_to_exitcode(status)
    SPENT.seconds = cpu_seconds_of_thread() + usage.ru_utime + usage.ru_stime
    if limit and -run.returncode in (signal.SIGXCPU, signal.SIGKILL):
        return False
    if run.returncode != 0:
        tail = "\n".join(pathlib.Path(log).read_text().splitlines()[-15:])
        raise RuntimeError(f"{' '.join(map(str, command))[:300]}\n{tail}")
    return True


def cpu_seconds_of_thread():
    """CPU time of the commands that this thread has called."""
    return getattr(SPENT, "seconds", 0.0)


def read_design(top):
    # Reduced to the hardware: a mutant in the upper bits of a 32-bit constant or `int` is none.
    files = " ".join(str(p.relative_to(ROOT)) for p in sources())
    return f"read_verilog -sv {files}\nhierarchy -top {top}\nproc\nopt_expr\nopt_clean\nwreduce\nopt_expr\nopt_clean\n"
