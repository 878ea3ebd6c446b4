#!/usr/bin/env bash
# Installs what the tests need beside Rust: a C compiler; OpenSSL and Python with pip, against which our cryptography
# and formats are checked; faketime, under which nodes run whose clocks are wrong. Where all of it is there, nothing
# is done.
set -euo pipefail

missing=()
need() { # command that must work, Debian packages that bring it
    eval "$1" > /dev/null 2>&1 || missing+=("${@:2}")
}
need 'command -v cc' gcc libc6-dev
need 'command -v make' make
need 'openssl dgst -sm3 /dev/null' openssl
need 'command -v python3' python3
need 'python3 -m pip --version' python3-pip
need 'command -v faketime' faketime
[ ${#missing[@]} -gt 0 ] || exit 0

fail() {
    echo "测试还需要：${missing[*]}。$1" >&2
    echo "The tests also need: ${missing[*]}. $2" >&2
    exit 2
}
command -v apt-get > /dev/null ||
    fail '请用系统的包管理器安装后重试。' "Install them with your system's package manager and try again."
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2> /dev/null ||
        fail "请运行：sudo apt-get install ${missing[*]}" "Run: sudo apt-get install ${missing[*]}"
    as_root=(sudo -n)
fi
echo "安装 / installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
install() { "${as_root[@]}" apt-get install --yes --no-install-recommends "${missing[@]}"; }
# Package lists of a new machine are missing or old: then they are fetched once.
install || { "${as_root[@]}" apt-get update && install; } ||
    fail '自动安装失败，见上。' 'They could not be installed, see above.'
