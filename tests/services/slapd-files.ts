import type { CertificateKind, ServerCertificates } from './certificates.ts';

export const SUFFIX = 'dc=example,dc=org';
export const PEOPLE = `ou=people,${SUFFIX}`;
export const GROUPS = `ou=groups,${SUFFIX}`;
export const POLICIES = `ou=policies,${SUFFIX}`;
/** The administrator of the directory, and the service that asks it. */
export const ROOT = { dn: `cn=admin,${SUFFIX}`, password: 'admin' };
export const SERVICE = { dn: `cn=parley,ou=services,${SUFFIX}`, password: 'parley-secret' };

/** The DN of somebody. */
export const personDn = (uid: string): string => `uid=${uid},${PEOPLE}`;

export interface SlapdContent {
  /** Lines for the global part of slapd.conf, such as further schemas. */
  global?: string;
  /** Lines for the database: overlays and what belongs to them. */
  database?: string;
  /** The domain of everybody's mail address. */
  domain?: string;
  /** More entries. */
  ldif?: string;
}

/** slapd.conf, with the overlays of a directory that is kept well. */
export const slapdConfiguration = (
  folder: string,
  certificates: ServerCertificates,
  kind: CertificateKind,
  { global = '', database = '' }: SlapdContent,
): string => `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile ${folder}/slapd.pid
argsfile ${folder}/slapd.args
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
moduleload memberof
moduleload refint
moduleload syncprov
moduleload unique
moduleload pw-sha2
TLSCertificateFile ${certificates.certificate(kind)}
TLSCertificateKeyFile ${certificates.key(kind)}
TLSCACertificateFile ${certificates.authority}
# RFC 3112, which Debian's schemas lack; RFC 5803 keeps SCRAM's verifiers in it
attributetype ( 1.3.6.1.4.1.4203.1.3.4 NAME 'authPassword' EQUALITY caseExactMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
objectclass ( 1.3.6.1.4.1.4203.1.4.7 NAME 'authPasswordObject' AUXILIARY MAY ( authPassword ) )
sizelimit 500
authz-regexp "uid=([^,]+),cn=.*cn=auth" "uid=$1,${PEOPLE}"
access to dn.base="" by * read
access to dn.base="cn=Subschema" by * read
access to attrs=userPassword,authPassword by dn.exact="${SERVICE.dn}" write by self write by anonymous auth by * none
access to * by dn.exact="${SERVICE.dn}" write by self read by users read by anonymous auth
${global}
database mdb
suffix ${SUFFIX}
limits dn.exact="${SERVICE.dn}" size=unlimited time=unlimited
rootdn ${ROOT.dn}
rootpw ${ROOT.password}
directory ${folder}/data
maxsize 268435456
dbnosync
index objectClass,uid,mail,member,entryCSN,entryUUID eq
overlay memberof
memberof-group-oc groupOfNames
memberof-member-ad member
memberof-memberof-ad memberOf
memberof-refint TRUE
overlay refint
refint_attributes member memberOf
overlay ppolicy
ppolicy_default cn=default,${POLICIES}
ppolicy_use_lockout
overlay syncprov
syncprov-checkpoint 100 10
syncprov-sessionlog 1000
${database}
`;

const unit = (name: string) => `dn: ou=${name},${SUFFIX}\nobjectClass: organizationalUnit\nou: ${name}\n\n`;

const policy = (name: string, ...lines: string[]) =>
  `dn: cn=${name},${POLICIES}\nobjectClass: device\nobjectClass: pwdPolicy\ncn: ${name}\npwdAttribute: userPassword\n${lines.join('\n')}\n\n`;

/** Somebody, whose password is `pw-` and the name. */
export const personEntry = (uid: string, family: string, domain = 'localhost'): string => {
  const name = uid.charAt(0).toUpperCase() + uid.slice(1);
  return `dn: ${personDn(uid)}
objectClass: inetOrgPerson
objectClass: authPasswordObject
uid: ${uid}
cn: ${name} ${family}
givenName: ${name}
sn: ${family}
displayName: ${name} ${family}
mail: ${uid}@${domain}
userPassword: pw-${uid}

`;
};

const FAMILIES = { Montague: ['romeo', 'benvolio', 'mercutio'], Capulet: ['juliet', 'tybalt', 'nurse'] };

/** The entries that slapadd takes. */
export const slapdEntries = ({ domain, ldif = '' }: SlapdContent): string =>
  [
    `dn: ${SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example\n\n`,
    ...['people', 'groups', 'services', 'policies'].map(unit),
    policy('default', 'pwdLockout: TRUE', 'pwdMaxFailure: 3', 'pwdLockoutDuration: 0', 'pwdMaxAge: 0'),
    policy('expiring', 'pwdMaxAge: 1', 'pwdGraceAuthnLimit: 2', 'pwdLockout: FALSE'),
    policy('expired', 'pwdMaxAge: 1', 'pwdGraceAuthnLimit: 0', 'pwdLockout: FALSE'),
    policy('warning', 'pwdMaxAge: 1000', 'pwdExpireWarning: 999', 'pwdLockout: FALSE'),
    policy('must-change', 'pwdMustChange: TRUE', 'pwdLockout: TRUE'),
    policy('strict', 'pwdMinLength: 12', 'pwdCheckQuality: 2', 'pwdInHistory: 3', 'pwdLockout: FALSE'),
    `dn: ${SERVICE.dn}\nobjectClass: applicationProcess\nobjectClass: simpleSecurityObject\ncn: parley\nuserPassword: ${SERVICE.password}\n\n`,
    ...Object.entries(FAMILIES).flatMap(([family, people]) => people.map((uid) => personEntry(uid, family, domain))),
    ldif,
  ].join('');

const group = (name: string, members: string[]) =>
  `dn: cn=${name},${GROUPS}\nobjectClass: groupOfNames\ncn: ${name}\n${members.map((dn) => `member: ${dn}`).join('\n')}\n\n`;

/** The groups: added while slapd runs, since memberOf is kept by it and not by slapadd. */
export const slapdGroups = (): string =>
  [
    group('montagues', FAMILIES.Montague.map(personDn)),
    group('capulets', FAMILIES.Capulet.map(personDn)),
    group('lovers', ['romeo', 'juliet'].map(personDn)),
    group('verona', [`cn=montagues,${GROUPS}`, `cn=capulets,${GROUPS}`]),
  ].join('');
