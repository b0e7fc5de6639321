import { differential } from './testing/differential.ts';

differential(400);
