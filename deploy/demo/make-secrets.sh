#!/bin/sh
# make-secrets.sh FOLDER [containers]: makes what the parts of the demonstration know of each other, a folder for each that may
# read it: passwords, and certificates by an authority whose key is thrown away. What is complete stays as it is.
# `containers` gives each folder to the user that its container runs as.
set -eu
umask 077
cd "$1"
if [ -e parley/complete ]; then exit 0; fi
mkdir -p parley redis openldap grafana
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

secret() { openssl rand -hex 16; }

# without a newline: ldapadd -y takes the file as it is
printf %s "$(secret)$(secret)" > parley/cluster-secret
printf %s "$(secret)" > parley/redis-password
printf %s "$(secret)" > parley/directory-password
printf %s "$(secret)" > parley/snmp-password
printf %s "$(secret)" > parley/snmp-privacy-password
printf %s "$(secret)" > grafana/admin-password
printf %s "$(secret)" > openldap/admin-password
echo "rootpw $(cat openldap/admin-password)" > openldap/rootpw.conf
cat > openldap/parley.ldif <<END

dn: cn=parley,dc=example,dc=org
objectClass: applicationProcess
objectClass: simpleSecurityObject
cn: parley
userPassword: $(cat parley/directory-password)
END
cp parley/redis-password redis/password
echo "requirepass $(cat redis/password)" > redis/password.conf

cat > "$work/openssl.cnf" <<END
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = serverAuth
subjectAltName = \$ENV::NAMES
END
certificate() { # NAME SUBJECT EXTENSIONS FURTHER…
    name=$1 subject=$2 extensions=$3
    shift 3
    openssl req -x509 -config "$work/openssl.cnf" -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 \
        -subj "/CN=$subject" -extensions "$extensions" -keyout "$work/$name.key" -out "$work/$name.crt" "$@" 2> "$work/said" ||
        { cat "$work/said" >&2; exit 1; }
}
export NAMES=
certificate ca "Parley demonstration" authority
NAMES=DNS:localhost
certificate localhost localhost server -CA "$work/ca.crt" -CAkey "$work/ca.key"
NAMES=DNS:openldap,DNS:localhost,IP:127.0.0.1
certificate openldap openldap server -CA "$work/ca.crt" -CAkey "$work/ca.key"
cp "$work/localhost.crt" "$work/localhost.key" "$work/ca.crt" parley
cp "$work/openldap.crt" "$work/openldap.key" "$work/ca.crt" openldap

if [ "${2-}" = containers ]; then
    chown -R 10001:10001 parley
    chown -R 999:999 redis
    chown -R 10002:10002 openldap
    chown -R 472:0 grafana
fi
touch parley/complete
