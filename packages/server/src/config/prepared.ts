import { JidError } from '@parley/xmpp/jid';
import * as z from 'zod';

/** Text that `prepare` brings into its one form, or refuses by throwing a JidError. */
export const prepared = (what: string, prepare: (text: string) => string) =>
  z
    .string()
    .max(3071)
    .transform((text, context) => {
      try {
        return prepare(text);
      } catch (error) {
        if (!(error instanceof JidError)) throw error;
        context.issues.push({ code: 'custom', input: text, message: `is not ${what}: ${error.message}` });
        return z.NEVER;
      }
    });
