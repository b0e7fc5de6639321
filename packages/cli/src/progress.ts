/** What has been done so far. */
export interface Amount {
  accounts(): number;
  bytes(): number;
}

const EVERY_MS = 5000;

/** Tells on standard error how far something long is, now and then. */
export class Progress implements Disposable {
  readonly #timer: NodeJS.Timeout;

  constructor(amount: Amount) {
    this.#timer = setInterval(() => {
      const megabytes = (amount.bytes() / 1e6).toFixed(1);
      process.stderr.write(`${amount.accounts()} accounts, ${megabytes} MB\n`);
    }, EVERY_MS);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
