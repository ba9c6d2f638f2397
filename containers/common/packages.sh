#!/bin/sh
# Install Debian packages into an image: packages.sh PACKAGE…
# From the site's mirror, if APT_MIRROR names one; with the site's certificates; nothing of apt's own stays behind.
set -eu
if [ -n "${APT_MIRROR:-}" ]; then
    find /etc/apt \( -name '*.sources' -o -name sources.list \) \
        -exec sed -i "s|http://deb.debian.org|${APT_MIRROR%/}|" {} +
fi
apt-get -q update
DEBIAN_FRONTEND=noninteractive apt-get -qy -o Dpkg::Use-Pty=0 install --no-install-recommends ca-certificates "$@"
mkdir -p /usr/local/share/ca-certificates
cp /build/certificates/*.crt /usr/local/share/ca-certificates/ 2>/dev/null || true # most sites need none
update-ca-certificates
apt-get -q clean
rm -rf /var/lib/apt/lists/*
