export type AdministrationFailure = 'invalid' | 'not-found' | 'conflict' | 'refused' | 'unavailable';

/** Why something an administrator asked for was not done, in words for them. */
export class AdministrationError extends Error {
  override readonly name = 'AdministrationError';
  readonly failure: AdministrationFailure;

  constructor(failure: AdministrationFailure, message: string) {
    super(message);
    this.failure = failure;
  }
}
