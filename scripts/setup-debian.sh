#!/usr/bin/env bash
# Installs the Debian packages that tests and builds use, and says what it installs. Quick and silent-ish when all is there.
# Where apt is absent, or we are not root, it says what is missing and ends well: the tests that need it skip visibly.
#
#   scripts/setup-debian.sh              everything
#   scripts/setup-debian.sh PACKAGE...   only these
set -uo pipefail

#   g++, libsystemc-dev   native SystemC: the first reference for sim/systemc
#   emscripten, dpkg-dev  SystemC in WebAssembly (scripts/build-systemc-wasm.mjs); dpkg-dev unpacks the source package
#   chromium              headless browser tests
#   verilator, iverilog   simulation of the generated Verilog (sim/rtl)
packages=(g++ libsystemc-dev emscripten dpkg-dev chromium verilator iverilog)
[ "$#" -gt 0 ] && packages=("$@")

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  echo "setup: no apt here; tests that need ${packages[*]} will be skipped"
  exit 0
fi

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
[ "${#missing[@]}" -eq 0 ] && exit 0

sudo=()
if [ "$(id -u)" -ne 0 ]; then
  if sudo -n true 2>/dev/null; then
    sudo=(sudo -n)
  else
    echo "setup: not root; install ${missing[*]} yourself (apt-get install ${missing[*]}); tests that need them will be skipped"
    exit 0
  fi
fi

echo "setup: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt=("${sudo[@]}" apt-get -qq -o DPkg::Lock::Timeout=900 -o Acquire::Retries=3)
install() { "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >"$log" 2>&1; }
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! install; then
  # The package lists may be missing or old.
  "${apt[@]}" update >>"$log" 2>&1
  if ! install; then
    tail -n 20 "$log"
    echo "setup: could not install ${missing[*]}; tests that need them will be skipped"
  fi
fi
exit 0
