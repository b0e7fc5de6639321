#!/bin/sh
# Installs Parley on a machine with systemd, as Debian lays things out; run anew it upgrades. Needs Node.js 20 or newer
# with npm, to fetch Node.js 26 and the libraries. With DESTDIR everything goes below that folder, for a package:
#
#     sudo sh deploy/install.sh
#     DESTDIR=build sh deploy/install.sh
set -eu
umask 022
cd "$(dirname "$0")/.."
DESTDIR=${DESTDIR:-}
program=$DESTDIR/usr/lib/parley
doc=$DESTDIR/usr/share/doc/parley

# The program, beside the one that may be running, and in its place when it is whole.
rm -rf "$program.new"
mkdir -p "$program.new"
tests=$(mktemp)
trap 'rm -f "$tests"' EXIT
sed '1,/^# what only tests use$/d' .dockerignore > "$tests"
tar --create --exclude=node_modules --exclude-from="$tests" \
  LICENSE package.json pnpm-lock.yaml pnpm-workspace.yaml scripts/bootstrap.mjs deploy/parley packages |
  tar --extract --no-same-owner --directory "$program.new"
node "$program.new/scripts/bootstrap.mjs" --quiet
rm -rf "$program.old"
if [ -e "$program" ]; then mv "$program" "$program.old"; fi
mv "$program.new" "$program"
rm -rf "$program.old"
mkdir -p "$DESTDIR/usr/bin"
ln -sfn ../lib/parley/deploy/parley "$DESTDIR/usr/bin/parley"

# The documents, the units, and what belongs to them.
mkdir -p "$doc"
cp -r docs/*.md docs/configuration.schema.json CHANGELOG.md LICENSE deploy/systemd/secrets.conf "$doc"
for unit in parley.service parley@.service parley.target parley-snmp.service; do
  install -D -m 644 "deploy/systemd/$unit" "$DESTDIR/usr/lib/systemd/system/$unit"
done
install -D -m 644 deploy/systemd/parley.sysusers "$DESTDIR/usr/lib/sysusers.d/parley.conf"
install -D -m 644 deploy/systemd/parley.tmpfiles "$DESTDIR/usr/lib/tmpfiles.d/parley.conf"

# The configuration is the administrator's from the first time on.
if [ ! -e "$DESTDIR/etc/parley/parley.yaml" ]; then
  install -D -m 640 deploy/systemd/parley.yaml "$DESTDIR/etc/parley/parley.yaml"
fi

if [ -z "$DESTDIR" ]; then
  systemd-sysusers parley.conf
  systemd-tmpfiles --create parley.conf
  systemctl daemon-reload
  echo 'Parley is installed. Look at /etc/parley/parley.yaml, then: systemctl enable --now parley'
fi
