# Shared by every script: where we are, which Python, and words for what is missing. POSIX sh.
set -eu
ROOT=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
cd "$ROOT"
# A virtual environment that happens to be active, or a PYTHONPATH, is not ours.
unset VIRTUAL_ENV PYTHONHOME PYTHONPATH 2>/dev/null || true
# Dozens of processes start here: what one has compiled the others read.
unset PYTHONDONTWRITEBYTECODE 2>/dev/null || true
VENV="$ROOT/.venv"
PYTHON="$VENV/bin/python"

fail() { printf '\n%s\n' "$*" >&2; exit 1; }

find_python() {
    for name in ${WORDHEARTH_PYTHON:-} python3.14 python3.13 python3.12 python3.11 python3 python; do
        if command -v "$name" >/dev/null 2>&1 &&
            "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return 0
        fi
    done
    return 1
}

# Django reads .mo files, which are made from the .po files and not kept in the repository.
compile_catalogues() {
    for PO in frontend/locale/*/LC_MESSAGES/django.po; do
        [ -z "$(find "$PO" -newer "${PO%.po}.mo" 2>&1)" ] && continue
        PYTHONPATH="$ROOT/platform:$ROOT" "$PYTHON" -m wordhearth.catalogues --compile
        return
    done
}

stamp_of() { cat requirements.txt requirements/*.txt script/setup | cksum | tr ' ' '-'; }
