import { household } from '../scenario.ts';
import { simulates } from '../short-form.ts';

simulates(household);
