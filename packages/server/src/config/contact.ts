import * as z from 'zod';
import { section } from './option.ts';

const live = true;

const uris = (description: string) =>
  z
    .array(
      z
        .string()
        .max(1024)
        .regex(/^[a-z][a-z0-9+.-]*:\S+$/i, 'is not a URI: write mailto:…, xmpp:… or https:…'),
    )
    .max(50)
    .default([])
    .meta({ live, description });

/** Whom people may turn to (XEP-0157). */
export const contact = section('Addresses for people who need somebody (XEP-0157), as URIs.', {
  abuse: uris('Where to report abuse.'),
  admin: uris('Where to reach the administrators.'),
  feedback: uris('Where opinions are welcome.'),
  sales: uris('Where to ask about buying.'),
  security: uris('Where to report weaknesses.'),
  status: uris('Where the state of the service is shown.'),
  support: uris('Where to ask for help.'),
});
