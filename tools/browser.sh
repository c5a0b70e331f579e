#!/bin/sh
# Print the path of the Chromium that the tests of the page run in; install Debian's where that is
# possible (as root, with apt-get). BODYPIX_BROWSER=PATH names another one (Chrome, Chromium, Edge).
set -eu

fail() {
    printf 'bodypix: %s\n' "$*" >&2
    exit 1
}

find_browser() {
    for name in chromium chromium-browser google-chrome google-chrome-stable; do
        command -v "$name" && return
    done
    return 1
}

if [ -n "${BODYPIX_BROWSER:-}" ]; then
    [ -x "$BODYPIX_BROWSER" ] || fail "BODYPIX_BROWSER names '$BODYPIX_BROWSER', which is not a program."
    echo "$BODYPIX_BROWSER"
    exit
fi

find_browser && exit

command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ] ||
    fail "the page's tests need Chromium or Chrome, and none was found. On Debian or Ubuntu: sudo apt-get install chromium. Elsewhere: BODYPIX_BROWSER=PATH make test"

echo "bodypix: installing Chromium for the page's tests" >&2
{
    apt-get update &&
        DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends chromium
} >&2 || fail "apt-get could not install chromium (see above). Install it, or name a browser: BODYPIX_BROWSER=PATH make test"
find_browser || fail "apt-get installed chromium, but it is not on the PATH."
