import { differential } from './testing/differential.ts';

differential(20_000);
