import { householdFailover } from '../scenario.ts';
import { simulates } from '../short-form.ts';

simulates(householdFailover);
