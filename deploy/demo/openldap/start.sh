#!/bin/sh
# Starts the directory of the demonstration, the first time with the people in it.
set -eu
configuration=/etc/openldap/slapd.conf
data=/var/lib/openldap
if [ ! -e "$data/filled" ]; then
    rm -f "$data/data.mdb" "$data/lock.mdb" # of an attempt that was interrupted
    cat /etc/openldap/people.ldif /secrets/openldap/parley.ldif | slapd -T add -q -f "$configuration"
    touch "$data/filled"
fi
# in the foreground, and it says no more than what matters
exec slapd -f "$configuration" -h ldap://0.0.0.0:3389 -d none
