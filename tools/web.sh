#!/bin/sh
# Build the page from web/ with npm, into src/bodypix/serve/page/.
set -eu

fail() {
    printf 'bodypix: %s\n' "$*" >&2
    exit 1
}

command -v node >/dev/null 2>&1 ||
    fail "no 'node' found. The page is built with Node 20 or newer: https://nodejs.org, or on Debian and Ubuntu: apt-get install nodejs npm"
command -v npm >/dev/null 2>&1 ||
    fail "no 'npm' found, which the page is built with. On Debian and Ubuntu: apt-get install npm"
found=$(node --version)
major=${found#v}
[ "${major%%.*}" -ge 20 ] ||
    fail "Node $found is too old: the page is built with Node 20 or newer (https://nodejs.org)."

cd "$(dirname "$0")/../web"
# Only where the packages do not fit the list any more: the installation takes a while.
if ! cmp -s package-lock.json node_modules/.installed; then
    echo "bodypix: installing the page's packages with npm"
    npm ci --no-audit --no-fund --loglevel=error ||
        fail "npm could not install (see above). It needs a package registry."
    cp package-lock.json node_modules/.installed
fi
npm run --silent build
