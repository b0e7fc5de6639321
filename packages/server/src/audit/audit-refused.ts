/** Thrown where the audit stream cannot be opened; its message is for the operator's eyes. */
export class AuditRefused extends Error {
  override readonly name = 'AuditRefused';
}
