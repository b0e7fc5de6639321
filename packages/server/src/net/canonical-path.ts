// RFC 3986 §3.3: what may stand in a path segment as it is.
const SEGMENT = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-F]{2})+$/;
// RFC 3986 §6.2.2.2: letters, digits and -._~ are never escaped in a canonical path.
const ESCAPED_UNRESERVED = /%(?:2[DE]|3[0-9]|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AE])/;
// A slash, a backslash or a percent sign in disguise, which a second decoding would bring out, and controls.
const DISGUISED = /%(?:2F|5C|25|[01][0-9A-F]|7F)/;

/**
 * Whether a request's path can be read in one way only. Whoever routes by it and whoever guards it then see the same.
 * With `addresses`, a segment may also hold an escaped backslash or percent sign, as the addresses of accounts do.
 */
export function isCanonicalPath(path: string, addresses = false): boolean {
  if (path === '/') return true;
  const [root, ...segments] = path.split('/');
  return root === '' && segments.length > 0 && segments.every((segment) => isCanonicalSegment(segment, addresses));
}

function isCanonicalSegment(segment: string, addresses: boolean): boolean {
  if (segment === '.' || segment === '..' || !SEGMENT.test(segment) || ESCAPED_UNRESERVED.test(segment)) return false;
  if (DISGUISED.test(addresses ? segment.replaceAll(/%(?:5C|25)/g, '') : segment)) return false;
  try {
    decodeURIComponent(segment);
    return true;
  } catch (error) {
    if (error instanceof URIError) return false;
    throw error;
  }
}
