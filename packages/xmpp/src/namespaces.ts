/** The XML namespaces that Parley speaks, by the name that the code uses. */
export const NS = {
  xml: 'http://www.w3.org/XML/1998/namespace',
  xmlns: 'http://www.w3.org/2000/xmlns/',

  // RFC 6120 and RFC 6121
  streams: 'http://etherx.jabber.org/streams',
  client: 'jabber:client',
  server: 'jabber:server',
  component: 'jabber:component:accept', // XEP-0114
  tls: 'urn:ietf:params:xml:ns:xmpp-tls',
  sasl: 'urn:ietf:params:xml:ns:xmpp-sasl',
  bind: 'urn:ietf:params:xml:ns:xmpp-bind',
  session: 'urn:ietf:params:xml:ns:xmpp-session',
  stanzas: 'urn:ietf:params:xml:ns:xmpp-stanzas',
  streamErrors: 'urn:ietf:params:xml:ns:xmpp-streams',
  roster: 'jabber:iq:roster',
  rosterVersioning: 'urn:xmpp:features:rosterver',
  preApproval: 'urn:xmpp:features:pre-approval',

  xinclude: 'http://www.w3.org/2001/XInclude',
  /** What only Parley has in exported accounts. */
  parleyAccount: 'urn:parley:account:0',

  // XEPs, in the order of their numbers
  dataForms: 'jabber:x:data', // 0004
  last: 'jabber:iq:last', // 0012
  privacy: 'jabber:iq:privacy', // 0016
  discoInfo: 'http://jabber.org/protocol/disco#info', // 0030
  discoItems: 'http://jabber.org/protocol/disco#items', // 0030
  muc: 'http://jabber.org/protocol/muc', // 0045
  mucUser: 'http://jabber.org/protocol/muc#user', // 0045
  private: 'jabber:iq:private', // 0049
  vcard: 'vcard-temp', // 0054
  search: 'jabber:iq:search', // 0055
  resultSet: 'http://jabber.org/protocol/rsm', // 0059
  pubsub: 'http://jabber.org/protocol/pubsub', // 0060
  register: 'jabber:iq:register', // 0077
  registerFeature: 'http://jabber.org/features/iq-register', // 0077
  iqAuth: 'jabber:iq:auth', // 0078
  iqAuthFeature: 'http://jabber.org/features/iq-auth', // 0078
  chatStates: 'http://jabber.org/protocol/chatstates', // 0085
  version: 'jabber:iq:version', // 0092
  jidEscaping: 'jid\\20escaping', // 0106
  caps: 'http://jabber.org/protocol/caps', // 0115
  compress: 'http://jabber.org/protocol/compress', // 0138
  compressFeature: 'http://jabber.org/features/compress', // 0138
  vcardUpdate: 'vcard-temp:x:update', // 0153
  offline: 'msgoffline', // 0160
  receipts: 'urn:xmpp:receipts', // 0184
  blocking: 'urn:xmpp:blocking', // 0191
  blockingErrors: 'urn:xmpp:blocking:errors', // 0191
  ping: 'urn:xmpp:ping', // 0199
  streamManagement: 'urn:xmpp:sm:3', // 0198
  time: 'urn:xmpp:time', // 0202
  delay: 'urn:xmpp:delay', // 0203
  dialback: 'jabber:server:dialback', // 0220
  dialbackFeature: 'urn:xmpp:features:dialback', // 0220
  portable: 'urn:xmpp:pie:0', // 0227
  portableScram: 'urn:xmpp:pie:0#scram', // 0227
  portableArchive: 'urn:xmpp:pie:0#mam', // 0227
  bidi: 'urn:xmpp:bidi', // 0288
  bidiFeature: 'urn:xmpp:features:bidi',
  conference: 'jabber:x:conference', // 0249
  carbons: 'urn:xmpp:carbons:2', // 0280
  carbonsRules: 'urn:xmpp:carbons:rules:0', // 0280
  vcard4: 'urn:ietf:params:xml:ns:vcard-4.0', // 0292
  vcard4Node: 'urn:xmpp:vcard4', // 0292
  forward: 'urn:xmpp:forward:0', // 0297
  chatMarkers: 'urn:xmpp:chat-markers:0', // 0333
  hints: 'urn:xmpp:hints', // 0334
  clientState: 'urn:xmpp:csi:0', // 0352
  jingleMessage: 'urn:xmpp:jingle-message:0', // 0353
  delegation: 'urn:xmpp:delegation:2', // 0355
  privilege: 'urn:xmpp:privilege:2', // 0356
  stanzaId: 'urn:xmpp:sid:0', // 0359
  bind2: 'urn:xmpp:bind:0', // 0386
  sasl2: 'urn:xmpp:sasl:2', // 0388
  domainBasedName: 'urn:xmpp:domain-based-name:1', // 0233
  saslChannelBinding: 'urn:xmpp:sasl-cb:0', // 0440
  streamLimits: 'urn:xmpp:stream-limits:0', // 0478
  saslUpgrade: 'urn:xmpp:sasl:upgrade:0', // 0480
  scramUpgrade: 'urn:xmpp:scram-upgrade:0', // 0480
  fast: 'urn:xmpp:fast:0', // 0484
  clientAccess: 'urn:xmpp:cam:0', // 0494
  pipelining: 'urn:xmpp:iap:0', // 0509
} as const;
