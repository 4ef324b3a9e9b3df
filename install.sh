#!/bin/sh
# Make .venv and install VistaQL into it:  sh install.sh [test]
# It needs a network once. When all is there it says nothing and returns at once. It activates nothing.
set -eu

extras=${1-}
case $extras in
    "" | test) ;;
    *) echo "usage: sh install.sh [test]" >&2; exit 2 ;;
esac

# Settings of other environments would put packages, or look for modules, in other places. Those of pip that
# say where packages come from (an index, a proxy, a certificate) stay in force.
unset CDPATH PYTHONPATH PYTHONHOME PYTHONUSERBASE PYTHONSTARTUP PYTHONWARNINGS PYTHONOPTIMIZE \
    PYTHONDONTWRITEBYTECODE PYTHONPYCACHEPREFIX PYTHONPLATLIBDIR PYTHONSAFEPATH __PYVENV_LAUNCHER__ VIRTUAL_ENV \
    PIP_TARGET PIP_PREFIX PIP_ROOT PIP_PYTHON PIP_REQUIRE_VIRTUALENV PIP_NO_COMPILE PIP_DRY_RUN PIP_REQUIREMENT \
    PIP_EDITABLE PIP_IGNORE_INSTALLED PIP_REQUIRE_HASHES UV_PYTHON UV_SYSTEM_PYTHON UV_PROJECT_ENVIRONMENT
export PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1 UV_COMPILE_BYTECODE=1

cd -- "$(dirname -- "$0")"
here=$(pwd -P)
python=.venv/bin/python
stamp=.venv/.installed
unfinished=.venv/.unfinished
missing_venv=

# What an installation depends on: with another answer it is brought up to date.
key() {
    printf '%s\n' "extras $1" "python $2" "checkout $here" "pyproject $(cksum <pyproject.toml)"
}

version_of() {
    "$1" -I -S -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null
}

fits() {
    "$1" -I -S -c 'import sys; sys.exit(not ((3, 11) <= sys.version_info[:2] <= (3, 13) and sys.maxsize > 2**32))' \
        >/dev/null 2>&1
}

# `test` has all that an installation without extras has.
installed() {
    [ -f "$stamp" ] && [ ! -e "$unfinished" ] || return 1
    version=$(version_of "$python") || return 1
    found=$(cat "$stamp")
    [ "$found" = "$(key "$extras" "$version")" ] || [ "$found" = "$(key test "$version")" ]
}

usable() {
    [ ! -e "$unfinished" ] && fits "$python" && "$python" -I -m pip --version >/dev/null 2>&1
}

# Set `base` to a Python that fits and can make environments. Debian's may lack venv or ensurepip, and a shim of
# pyenv may stand for no Python at all, so each is tried.
find_python() {
    for name in python3.13 python3.12 python3.11 python3 python; do
        base=$(command -v "$name") && fits "$base" || continue
        "$base" -I -c 'import ensurepip, venv' >/dev/null 2>&1 && return
        missing_venv=${missing_venv:-$(version_of "$base")}
    done
    return 1
}

find_uv() {
    for uv in "$(command -v uv || :)" "${HOME-}/.local/bin/uv" "${HOME-}/.cargo/bin/uv"; do
        [ -x "$uv" ] && "$uv" --version >/dev/null 2>&1 && return
    done
    return 1
}

# The one line that brings a Python to this machine.
remedy() {
    sudo="sudo "
    [ "$(id -u)" != 0 ] || sudo=
    if command -v apt-get >/dev/null; then
        for version in $missing_venv 3.13 3.12 3.11; do
            if apt-cache show "python$version-venv" >/dev/null 2>&1; then
                echo "${sudo}apt-get install -y python$version-venv"
                return
            fi
        done
        # Without package lists apt knows no package, and the default one is right where there is no other Python.
        if [ -n "$missing_venv" ] || ! command -v python3 >/dev/null; then
            echo "${sudo}apt-get update && ${sudo}apt-get install -y python${missing_venv:-3}-venv"
            return
        fi
    elif command -v dnf >/dev/null; then
        echo "${sudo}dnf install -y python3.12"
        return
    elif command -v brew >/dev/null; then
        echo "brew install python@3.12"
        return
    fi
    if command -v curl >/dev/null || ! command -v wget >/dev/null; then
        echo "curl -LsSf https://astral.sh/uv/install.sh | sh"
    else
        echo "wget -qO- https://astral.sh/uv/install.sh | sh"
    fi
}

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

no_python() {
    fail "VistaQL needs Python 3.11, 3.12 or 3.13 with venv, and there is none here. Type this, then the same again:" \
        "" "    $(remedy)" ""
}

make_environment() {
    if [ -e .venv ] || [ -L .venv ]; then
        echo "The .venv here is unfinished or of another Python. Making it anew."
        rm -rf .venv
    fi
    if find_python; then
        echo "Python $(version_of "$base") found: $base"
        "$base" -I -m venv .venv || fail "This Python could not make .venv; its message is above."
    elif find_uv; then
        echo "uv found: $uv"
        "$uv" venv --quiet --seed --python 3.12 .venv || fail "uv could not make .venv; its message is above."
    else
        no_python
    fi
    usable || fail "The new .venv has no working pip. Another Python may make a better one."
}

# A dot every five seconds. `sleep` must not hold the descriptors of a pipe that someone reads to its end.
tick() {
    while sleep 5 >/dev/null 2>&1 </dev/null; do printf .; done
}

stop_ticking() {
    [ -z "$ticker" ] || { kill "$ticker" && wait "$ticker"; } 2>/dev/null || :
    ticker=
}

install() {
    mkdir -p .venv/tmp
    : >"$unfinished"
    start=$(date +%s)
    tick &
    ticker=$!
    trap 'stop_ticking' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    # /tmp may be memory, and too small for what is unpacked here.
    status=0
    TMPDIR=$here/.venv/tmp "$python" -I -m pip install --quiet --no-compile -e ".${extras:+[$extras]}" || status=$?
    # pip compiles on one core. Packages ship a few files that are no Python, of which nobody needs to hear.
    [ "$status" != 0 ] || "$python" -I -m compileall -q -j 0 .venv/lib >/dev/null 2>&1 || :
    stop_ticking
    rm -rf .venv/tmp
    # pip that ends by itself leaves a whole environment behind, old or empty; pip that is killed does not.
    rm -f "$unfinished"
    [ "$status" = 0 ] || fail "" "pip could not install VistaQL; its message is above. The same command tries again."
    echo " $(($(date +%s) - start)) s"
}

case $(uname -sm) in
    "Darwin x86_64") fail "TensorFlow has no build for Macs with an Intel processor, so VistaQL cannot run here." ;;
    MINGW* | MSYS* | CYGWIN*) fail "On Windows, VistaQL runs inside WSL: https://learn.microsoft.com/windows/wsl" ;;
esac

if installed; then
    exit 0
fi
usable || make_environment
if [ -f "$stamp" ]; then
    printf 'Bringing .venv up to date with pyproject.toml '
else
    printf 'Installing into .venv, once: about 1.0 GB to download, 3 GB on disk '
fi
install
key "$extras" "$(version_of "$python")" >"$stamp.new"
mv "$stamp.new" "$stamp"
