"""The RTL library as Yosys reads it, for the mutation score."""
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "rtl" / "lib"


def modules_of_library():
    return sorted(p.stem for p in LIBRARY.glob("*.sv") if not p.stem.endswith("_pkg"))


def sources():
    packages = [LIBRARY / "loom_pkg.sv", LIBRARY / "loom_desc_pkg.sv"]
    return packages + sorted(p for p in LIBRARY.glob("*.sv") if p not in packages)


def call(command, log, cwd=None, timeout=None):
    with open(log, "w") as out:
        run = subprocess.run(list(map(str, command)), stdout=out, stderr=subprocess.STDOUT, cwd=cwd, timeout=timeout)
    if run.returncode != 0:
        tail = "\n".join(pathlib.Path(log).read_text().splitlines()[-15:])
        raise RuntimeError(f"{' '.join(map(str, command))[:300]}\n{tail}")


def read_design(top):
    # Reduced to the hardware: a mutant in the upper bits of a 32-bit constant or `int` is none.
    files = " ".join(str(p.relative_to(ROOT)) for p in sources())
    return f"read_verilog -sv {files}\nhierarchy -top {top}\nproc\nopt_expr\nopt_clean\nwreduce\nopt_expr\nopt_clean\n"
